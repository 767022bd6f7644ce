// Turn a square of kLanes by kLanes floats around, in registers.
#pragma once

#include "simd.hpp"

namespace {

template <size_t... L>
struct Lanes {};

template <size_t N, size_t... L>
struct LanesUpTo : LanesUpTo<N - 1, N - 1, L...> {};
template <size_t... L>
struct LanesUpTo<0, L...> {
    typedef Lanes<L...> Type;
};
typedef LanesUpTo<kLanes>::Type AllLanes;

#if defined(__clang__)
#define LW_SHUFFLE(one, other, ...) __builtin_shufflevector(one, other, __VA_ARGS__)
#else
#define LW_SHUFFLE(one, other, ...) __builtin_shuffle(one, other, I{__VA_ARGS__})
#endif

// Exchanges the upper half of each 2 * STEP lanes of one row with the lower half of the other's.
template <size_t STEP, size_t... L>
inline void exchange(V& one, V& other, Lanes<L...>) {
    const V upper = LW_SHUFFLE(one, other, static_cast<int32_t>(L & STEP ? kLanes + L - STEP : L)...);
    const V lower = LW_SHUFFLE(one, other, static_cast<int32_t>(L & STEP ? kLanes + L : L + STEP)...);
    one = upper;
    other = lower;
}

template <size_t STEP>
inline void transpose_by(V (&rows)[kLanes]) {
    LW_UNROLL
    for (size_t row = 0; row < kLanes; ++row) {
        if (!(row & STEP)) exchange<STEP>(rows[row], rows[row + STEP], AllLanes{});
    }
    if constexpr (STEP > 1) transpose_by<STEP / 2>(rows);
}

inline void transpose(V (&rows)[kLanes]) { transpose_by<kLanes / 2>(rows); }

}  // namespace
