#include "linear.hpp"

namespace labelwise {

void Linear::set_shape(const Kernels& kernels, std::size_t out, std::size_t in, Activation activation,
                       const float* bias) {
    kernels_ = &kernels;
    panels_ = filled(out, kernels.panel) / kernels.panel;
    packed_.in = in;
    packed_.out = out;
    packed_.activation = activation;
    bias_.fill(bias, out, panels_ * kernels.panel);
    packed_.bias = bias_.data();
}

void Linear::set(const Kernels& kernels, std::size_t out, std::size_t in, Activation activation, const float* weight,
                 const float* bias) {
    set_shape(kernels, out, in, activation, bias);
    weights_.need(panels_ * kernels.panel * in);
    kernels.pack_f32(weight, out, in, weights_.data());
    packed_.weights = weights_.data();
}

void Linear::set(const Kernels& kernels, std::size_t out, std::size_t in, Activation activation, std::size_t group,
                 const int8_t* weight, const float* scales, const float* bias) {
    set_shape(kernels, out, in, activation, bias);
    const std::size_t groups = (in + group - 1) / group;
    const std::size_t filled_out = panels_ * kernels.panel;
    integers_.need(kernels.packed_s8_bytes(out, in, group));
    sums_.need(groups * filled_out);
    scales_.need(groups * filled_out);
    kernels.pack_s8(weight, out, in, group, integers_.data(), sums_.data());
    for (std::size_t number = 0; number < groups; ++number)
        std::memcpy(scales_.data() + number * filled_out, scales + number * out, out * sizeof(float));
    for (std::size_t place = 0; place < groups * filled_out; ++place) sums_.data()[place] *= scales_.data()[place];
    packed_.group = group;
    packed_.integers = integers_.data();
    packed_.scaled_sums = sums_.data();
    packed_.scales = scales_.data();
}

void Linear::prepare(const float* x, std::size_t x_stride, std::size_t rows, QuantisedScratch& scratch) const {
    if (!packed_.integers) return;
    const std::size_t groups = (packed_.in + packed_.group - 1) / packed_.group;
    scratch.integers.need(rows * kernels_->quantised_row_bytes(packed_.in, packed_.group));
    scratch.scales.need(rows * groups);
    scratch.shifts.need(rows * groups);
    kernels_->quantise(x, x_stride, rows, packed_.in, packed_.group, scratch.rows());
}

void Linear::apply(const float* x, std::size_t x_stride, const QuantisedScratch& scratch, std::size_t rows,
                   std::size_t first_panel, std::size_t last_panel, float* y, std::size_t y_stride) const {
    if (packed_.integers) {
        kernels_->linear_s8(packed_, scratch.rows(), rows, first_panel, last_panel, y, y_stride);
    } else {
        kernels_->linear_f32(packed_, x, x_stride, rows, first_panel, last_panel, y, y_stride);
    }
}

}  // namespace labelwise
