// The smallest matrix product: up to kRows rows times one or two vectors of columns, summed in registers.
#pragma once

#include "simd.hpp"

namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr size_t kRows = 12;  // 32 registers: 24 sums, 2 vectors of weights
#elif defined(__AVX2__)
constexpr size_t kRows = 6;  // 16 registers
#else
constexpr size_t kRows = 4;
#endif

// c[M][NV vectors] = (c +) a[M][depth] * b[depth][NV vectors]
template <size_t M, size_t NV, bool ADDS>
inline void tile(const float* a, size_t a_stride, const float* b, size_t b_stride, size_t depth, float* c,
                 size_t c_stride) {
    V sums[M][NV];
    LW_UNROLL
    for (size_t i = 0; i < M; ++i) {
        LW_UNROLL
        for (size_t j = 0; j < NV; ++j) sums[i][j] = ADDS ? load(c + i * c_stride + j * kLanes) : V{};
    }
    for (size_t k = 0; k < depth; ++k) {
        V columns[NV];
        LW_UNROLL
        for (size_t j = 0; j < NV; ++j) columns[j] = load(b + k * b_stride + j * kLanes);
        LW_UNROLL
        for (size_t i = 0; i < M; ++i) {
            const V row = splat(a[i * a_stride + k]);
            LW_UNROLL
            for (size_t j = 0; j < NV; ++j) sums[i][j] += row * columns[j];
        }
    }
    LW_UNROLL
    for (size_t i = 0; i < M; ++i) {
        LW_UNROLL
        for (size_t j = 0; j < NV; ++j) store(c + i * c_stride + j * kLanes, sums[i][j]);
    }
}

template <size_t NV, bool ADDS, size_t M = kRows>
inline void tile_of(size_t rows, const float* a, size_t a_stride, const float* b, size_t b_stride, size_t depth,
                    float* c, size_t c_stride) {
    if (rows == M) {
        tile<M, NV, ADDS>(a, a_stride, b, b_stride, depth, c, c_stride);
    } else if constexpr (M > 1) {
        tile_of<NV, ADDS, M - 1>(rows, a, a_stride, b, b_stride, depth, c, c_stride);
    }
}

// As `tile`, for up to kRows rows and any width; columns up to the next whole vector are written too.
template <bool ADDS>
inline void strip(size_t rows, size_t width, const float* a, size_t a_stride, const float* b, size_t b_stride,
                  size_t depth, float* c, size_t c_stride) {
    size_t column = 0;
    for (; column + kLanes < width; column += 2 * kLanes)
        tile_of<2, ADDS>(rows, a, a_stride, b + column, b_stride, depth, c + column, c_stride);
    if (column < width) tile_of<1, ADDS>(rows, a, a_stride, b + column, b_stride, depth, c + column, c_stride);
}

}  // namespace
