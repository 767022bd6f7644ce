// Linear layers with 8-bit weights and activations; the sums of a group of inputs are exact.
//
// With AVX-512 VNNI the products run on integers. Elsewhere the very same integers are held as floats, whose
// products and sums are exact up to 2^24, and run at the speed of float32.
//
// An activation is scale * integer + shift, with scale and shift per row and group; what the shifts contribute,
// shift * (sum of the group's weights), is a product of its own with as many inputs as there are groups.
#pragma once

#include "activations.hpp"
#include "tile.hpp"

#if defined(__AVX512VNNI__)
#include <immintrin.h>
#endif

namespace {

using labelwise::PackedLinear;
using labelwise::QuantisedRows;

#if defined(__AVX512VNNI__)
typedef uint8_t Activated;
typedef int8_t Weight;
typedef I Sum;  // not the intrinsics' own type, which gcc would keep in memory
constexpr size_t kStep = 4;  // inputs per instruction
#else
typedef float Activated;
typedef float Weight;
typedef V Sum;
constexpr size_t kStep = 1;
#endif

inline size_t num_groups(size_t in, size_t group) { return (in + group - 1) / group; }

// How many inputs a group has, filled up to whole steps.
inline size_t depth_of(size_t in, size_t group, size_t number) {
    const size_t left = in - number * group;
    return round_up(left < group ? left : group, kStep);
}

inline size_t filled_depth(size_t in, size_t group) {
    const size_t last = num_groups(in, group) - 1;
    return last * group + depth_of(in, group, last);
}

size_t packed_s8_bytes(size_t out, size_t in, size_t group) {
    return round_up(out, 2 * kLanes) * filled_depth(in, group) * sizeof(Weight);
}

size_t quantised_row_bytes(size_t in, size_t group) {
    return round_up(filled_depth(in, group) * sizeof(Activated), 64);
}

void pack_s8(const int8_t* weight, size_t out, size_t in, size_t group, void* packed, float* sums) {
    const size_t panel = 2 * kLanes;
    const size_t filled_out = round_up(out, panel);
    Weight* to = static_cast<Weight*>(packed);
    for (size_t first = 0; first < out; first += panel) {
        const bool is_whole = first + panel <= out;
        for (size_t k = 0; k < filled_depth(in, group); k += kStep) {
            if (is_whole && k + kStep <= in) {
                const int8_t* from = weight + first * in + k;
                for (size_t column = 0; column < panel; ++column, from += in, to += kStep) {
                    for (size_t step = 0; step < kStep; ++step) to[step] = static_cast<Weight>(from[step]);
                }
                continue;
            }
            for (size_t column = first; column < first + panel; ++column) {
                for (size_t step = k; step < k + kStep; ++step)
                    *to++ = column < out && step < in ? static_cast<Weight>(weight[column * in + step]) : Weight{0};
            }
        }
    }
    for (size_t number = 0; number < num_groups(in, group); ++number) {
        const size_t begin = number * group;
        const size_t end = begin + group < in ? begin + group : in;
        for (size_t column = 0; column < filled_out; ++column) {
            int32_t total = 0;
            for (size_t k = begin; column < out && k < end; ++k) total += weight[column * in + k];
            sums[number * filled_out + column] = static_cast<float>(total);
        }
    }
}

// The range of a group, zero included, is cut into 255 steps; its lowest value becomes 0.
inline void quantise_group(const float* x, size_t count, size_t filled, Activated* to, float* scale, float* shift) {
    V lowest{}, highest{};
    size_t k = 0;
    for (; k + kLanes <= count; k += kLanes) {
        const V value = load(x + k);
        lowest = min(lowest, value);
        highest = max(highest, value);
    }
    float low = min_of(lowest), high = max_of(highest);
    for (; k < count; ++k) {
        low = x[k] < low ? x[k] : low;
        high = x[k] > high ? x[k] : high;
    }
    const float range = high - low;
    const float inverse = range > 0.0f ? 255.0f / range : 0.0f;
    const float offset = nearest(splat(-low * inverse))[0];
    *scale = range / 255.0f;
    *shift = -offset * *scale;
    for (k = 0; k < count; k += kLanes) {
        V value{};
        const size_t lanes = count - k < kLanes ? count - k : kLanes;
        if (lanes == kLanes) {
            value = load(x + k);
        } else {
            for (size_t lane = 0; lane < lanes; ++lane) value[lane] = x[k + lane];
        }
        const V rounded = min(max(nearest(value * inverse) + offset, V{}), splat(255.0f));
#if defined(__AVX512VNNI__)
        const __mmask16 written = static_cast<__mmask16>((1u << lanes) - 1);
        const I integers = __builtin_convertvector(rounded, I);
        _mm512_mask_cvtepi32_storeu_epi8(to + k, written, (__m512i)integers);
#else
        for (size_t lane = 0; lane < lanes; ++lane) to[k + lane] = rounded[lane];
#endif
    }
    for (k = count; k < filled; ++k) to[k] = Activated{0};
}

void quantise(const float* x, size_t stride, size_t rows, size_t in, size_t group, QuantisedRows to) {
    const size_t groups = num_groups(in, group);
    const size_t row_bytes = quantised_row_bytes(in, group);
    for (size_t row = 0; row < rows; ++row) {
        Activated* integers = reinterpret_cast<Activated*>(static_cast<char*>(to.integers) + row * row_bytes);
        for (size_t number = 0; number < groups; ++number) {
            const size_t first = number * group;
            const size_t count = in - first < group ? in - first : group;
            quantise_group(x + row * stride + first, count, depth_of(in, group, number), integers + first,
                           to.scales + row * groups + number, to.shifts + row * groups + number);
        }
    }
}

#if defined(__AVX512VNNI__)
inline Sum product_added(Sum sum, const Activated* row, Sum column) {
    int32_t four;
    __builtin_memcpy(&four, row, sizeof four);
    return (I)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)splat(four), (__m512i)column);
}

inline Sum load_columns(const Weight* from) {
    return *reinterpret_cast<const UnalignedI*>(from);
}

#else
inline Sum product_added(Sum sum, const Activated* row, Sum column) { return sum + splat(*row) * column; }

inline Sum load_columns(const Weight* from) { return load(from); }

inline V to_float(V value) { return value; }
#endif

// One group of inputs: y[M][2 vectors] += scaled products.
template <size_t M>
inline void tile_s8(const Activated* a, size_t a_stride, const Weight* b, size_t depth, const float* row_scales,
                    size_t groups, const float* scales, float* y, size_t y_stride) {
    Sum sums[M][2];
    LW_UNROLL
    for (size_t i = 0; i < M; ++i) sums[i][0] = sums[i][1] = Sum{};
    for (size_t k = 0; k < depth; k += kStep) {
        const Sum left = load_columns(b + k * 2 * kLanes);
        const Sum right = load_columns(b + k * 2 * kLanes + kStep * kLanes);
        LW_UNROLL
        for (size_t i = 0; i < M; ++i) {
            sums[i][0] = product_added(sums[i][0], a + i * a_stride + k, left);
            sums[i][1] = product_added(sums[i][1], a + i * a_stride + k, right);
        }
    }
    const V scale[2] = {load(scales), load(scales + kLanes)};
    LW_UNROLL
    for (size_t i = 0; i < M; ++i) {
        LW_UNROLL
        for (size_t j = 0; j < 2; ++j) {
            float* to = y + i * y_stride + j * kLanes;
            store(to, load(to) + to_float(sums[i][j]) * (scale[j] * row_scales[i * groups]));
        }
    }
}

template <size_t M = kRows>
inline void tile_s8_of(size_t rows, const Activated* a, size_t a_stride, const Weight* b, size_t depth,
                       const float* row_scales, size_t groups, const float* scales, float* y, size_t y_stride) {
    if (rows == M) {
        tile_s8<M>(a, a_stride, b, depth, row_scales, groups, scales, y, y_stride);
    } else if constexpr (M > 1) {
        tile_s8_of<M - 1>(rows, a, a_stride, b, depth, row_scales, groups, scales, y, y_stride);
    }
}

void linear_s8(const PackedLinear& layer, QuantisedRows x, size_t rows, size_t first_panel, size_t last_panel,
               float* y, size_t y_stride) {
    const size_t groups = num_groups(layer.in, layer.group);
    const size_t filled_in = filled_depth(layer.in, layer.group);
    const size_t filled_out = round_up(layer.out, kPanel);
    const size_t row_stride = quantised_row_bytes(layer.in, layer.group) / sizeof(Activated);
    for (size_t panel = first_panel; panel < last_panel; ++panel) {
        const Weight* weights = static_cast<const Weight*>(layer.integers) + panel * filled_in * kPanel;
        const float* scales = layer.scales + panel * kPanel;
        for (size_t row = 0; row < rows; row += kRows) {
            const size_t count = rows - row < kRows ? rows - row : kRows;
            const Activated* integers = static_cast<const Activated*>(x.integers) + row * row_stride;
            float* to = y + row * y_stride + panel * kPanel;
            fill_rows(layer.bias + panel * kPanel, count, to, y_stride);
            tile_of<2, true>(count, x.shifts + row * groups, groups, layer.scaled_sums + panel * kPanel, filled_out,
                             groups, to, y_stride);
            for (size_t number = 0; number < groups; ++number) {
                const size_t first = number * layer.group;
                tile_s8_of(count, integers + first, row_stride, weights + first * kPanel,
                           depth_of(layer.in, layer.group, number), x.scales + row * groups + number, groups,
                           scales + number * filled_out, to, y_stride);
            }
            activate(layer.activation, to, y_stride, count, kPanel);
        }
    }
}

}  // namespace
