// One linear layer with its packed weights, in float32 or 8 bits.
#pragma once

#include "kernels.hpp"
#include "memory.hpp"

namespace labelwise {

// Activations of one product in 8 bits.
struct QuantisedScratch {
    Buffer<char> integers;
    Buffer<float> scales, shifts;

    QuantisedRows rows() const { return {integers.data(), scales.data(), shifts.data()}; }
};

class Linear {
   public:
    Linear() = default;

    // Weights are [out][in]; those of 8 bits have scales [groups][out], a group being `group` inputs.
    void set(const Kernels& kernels, std::size_t out, std::size_t in, Activation activation, const float* weight,
             const float* bias);
    void set(const Kernels& kernels, std::size_t out, std::size_t in, Activation activation, std::size_t group,
             const int8_t* weight, const float* scales, const float* bias);

    std::size_t in() const { return packed_.in; }
    std::size_t out() const { return packed_.out; }
    std::size_t panels() const { return panels_; }
    bool is_set() const { return panels_ > 0; }

    // Makes rows ready for `apply` where the weights have 8 bits; else there is nothing to do.
    void prepare(const float* x, std::size_t x_stride, std::size_t rows, QuantisedScratch& scratch) const;

    // y = activation(x * weight + bias) for some panels of outputs.
    void apply(const float* x, std::size_t x_stride, const QuantisedScratch& scratch, std::size_t rows,
               std::size_t first_panel, std::size_t last_panel, float* y, std::size_t y_stride) const;

   private:
    void set_shape(const Kernels& kernels, std::size_t out, std::size_t in, Activation activation, const float* bias);

    const Kernels* kernels_ = nullptr;
    std::size_t panels_ = 0;
    PackedLinear packed_;
    Buffer<float> bias_, weights_, scales_, sums_;
    Buffer<char> integers_;
};

}  // namespace labelwise
