// Layer normalisation of rows, with the residual added in the same pass.
#pragma once

#include "simd.hpp"

namespace {

// Adds y to x and returns the sum of the row.
inline float add_row(float* x, const float* y, size_t size) {
    V total{};
    size_t k = 0;
    for (; k + kLanes <= size; k += kLanes) {
        const V value = load(x + k) + load(y + k);
        store(x + k, value);
        total += value;
    }
    float rest = 0.0f;
    for (; k < size; ++k) rest += (x[k] += y[k]);
    return sum_of(total) + rest;
}

inline float sum_row(const float* x, size_t size) {
    V total{};
    size_t k = 0;
    for (; k + kLanes <= size; k += kLanes) total += load(x + k);
    float rest = 0.0f;
    for (; k < size; ++k) rest += x[k];
    return sum_of(total) + rest;
}

inline float squares_around(const float* x, float mean, size_t size) {
    V total{};
    size_t k = 0;
    for (; k + kLanes <= size; k += kLanes) {
        const V distance = load(x + k) - mean;
        total += distance * distance;
    }
    float rest = 0.0f;
    for (; k < size; ++k) rest += (x[k] - mean) * (x[k] - mean);
    return sum_of(total) + rest;
}

void add_norm(float* x, size_t x_stride, const float* y, size_t y_stride, size_t rows, size_t size,
              const float* weight, const float* bias, float epsilon) {
    for (size_t row = 0; row < rows; ++row) {
        float* at = x + row * x_stride;
        const float total = y ? add_row(at, y + row * y_stride, size) : sum_row(at, size);
        const float mean = total / static_cast<float>(size);
        const float variance = squares_around(at, mean, size) / static_cast<float>(size);
        const float factor = 1.0f / __builtin_sqrtf(variance + epsilon);
        size_t k = 0;
        for (; k + kLanes <= size; k += kLanes)
            store(at + k, (load(at + k) - mean) * factor * load(weight + k) + load(bias + k));
        for (; k < size; ++k) at[k] = (at[k] - mean) * factor * weight[k] + bias[k];
    }
}

}  // namespace
