// Activation functions on whole vectors.
#pragma once

#include "kernels.hpp"
#include "simd.hpp"

namespace {

using labelwise::Activation;

inline V magnitude(V x) { return of_bits(bits_of(x) & INT32_MAX); }

inline V with_sign_of(V value, V sign) { return of_bits(bits_of(value) | (bits_of(sign) & INT32_MIN)); }

// Abramowitz and Stegun 7.1.26: the error is below 1.5e-7.
inline V error_function(V x) {
    const V size = magnitude(x);
    const V t = 1.0f / (size * 0.3275911f + 1.0f);
    V p = splat(1.061405429f);
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    return with_sign_of(1.0f - p * t * exponential(-size * size), x);
}

inline V sigmoid(V x) { return 1.0f / (exponential(-x) + 1.0f); }

inline V hyperbolic_tangent(V x) {
    const V size = magnitude(x);
    return with_sign_of(1.0f - 2.0f / (exponential(size + size) + 1.0f), x);
}

template <Activation KIND>
inline V activated(V x) {
    if constexpr (KIND == Activation::gelu) return 0.5f * x * (1.0f + error_function(x * 0.70710678118654752f));
    if constexpr (KIND == Activation::gelu_tanh) {
        const V inner = 0.79788456080286536f * (x + 0.044715f * x * x * x);
        return 0.5f * x * (1.0f + hyperbolic_tangent(inner));
    }
    if constexpr (KIND == Activation::relu) return max(x, V{});
    if constexpr (KIND == Activation::tanh) return hyperbolic_tangent(x);
    if constexpr (KIND == Activation::sigmoid) return sigmoid(x);
    if constexpr (KIND == Activation::silu) return x * sigmoid(x);
    return x;
}

template <Activation KIND>
inline void activate_as(float* values, size_t stride, size_t rows, size_t width) {
    for (size_t row = 0; row < rows; ++row) {
        float* at = values + row * stride;
        for (size_t column = 0; column < width; column += kLanes) store(at + column, activated<KIND>(load(at + column)));
    }
}

// Works in place; `width` is a number of whole vectors.
inline void activate(Activation kind, float* values, size_t stride, size_t rows, size_t width) {
    switch (kind) {
        case Activation::none: return;
        case Activation::gelu: return activate_as<Activation::gelu>(values, stride, rows, width);
        case Activation::gelu_tanh: return activate_as<Activation::gelu_tanh>(values, stride, rows, width);
        case Activation::relu: return activate_as<Activation::relu>(values, stride, rows, width);
        case Activation::tanh: return activate_as<Activation::tanh>(values, stride, rows, width);
        case Activation::sigmoid: return activate_as<Activation::sigmoid>(values, stride, rows, width);
        case Activation::silu: return activate_as<Activation::silu>(values, stride, rows, width);
    }
}

}  // namespace
