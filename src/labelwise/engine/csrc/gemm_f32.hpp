// Linear layers in float32: y = activation(x * weight + bias).
#pragma once

#include "activations.hpp"
#include "tile.hpp"

namespace {

using labelwise::PackedLinear;

constexpr size_t kPanel = 2 * kLanes;

void pack_f32(const float* weight, size_t out, size_t in, float* packed) {
    for (size_t first = 0; first < out; first += kPanel) {
        for (size_t k = 0; k < in; ++k) {
            for (size_t column = 0; column < kPanel; ++column, ++packed)
                *packed = first + column < out ? weight[(first + column) * in + k] : 0.0f;
        }
    }
}

inline void fill_rows(const float* from, size_t rows, float* y, size_t stride) {
    for (size_t row = 0; row < rows; ++row) {
        for (size_t j = 0; j < kPanel; j += kLanes) store(y + row * stride + j, load(from + j));
    }
}

void linear_f32(const PackedLinear& layer, const float* x, size_t x_stride, size_t rows, size_t first_panel,
                size_t last_panel, float* y, size_t y_stride) {
    for (size_t panel = first_panel; panel < last_panel; ++panel) {
        const float* weights = layer.weights + panel * layer.in * kPanel;
        for (size_t row = 0; row < rows; row += kRows) {
            const size_t count = rows - row < kRows ? rows - row : kRows;
            float* to = y + row * y_stride + panel * kPanel;
            fill_rows(layer.bias + panel * kPanel, count, to, y_stride);
            tile_of<2, true>(count, x + row * x_stride, x_stride, weights, kPanel, layer.in, to, y_stride);
            activate(layer.activation, to, y_stride, count, kPanel);
        }
    }
}

}  // namespace
