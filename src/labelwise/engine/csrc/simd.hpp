// Vectors of floats as the compiler's own type: one source for every instruction set.
//
// Everything that is compiled once per instruction set stands in an unnamed namespace and uses no templates of
// the standard library: an inline function shared between object files could be taken from the one whose
// instructions this processor does not have.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__)
#define LW_LANES 16
#elif defined(__AVX2__)
#define LW_LANES 8
#else
#define LW_LANES 4
#endif

#if defined(__clang__)
#define LW_UNROLL _Pragma("unroll")
#else
#define LW_UNROLL _Pragma("GCC unroll 16")
#endif

namespace {

constexpr size_t kLanes = LW_LANES;

typedef float V __attribute__((vector_size(LW_LANES * 4)));
typedef int32_t I __attribute__((vector_size(LW_LANES * 4)));
typedef float UnalignedV __attribute__((vector_size(LW_LANES * 4), aligned(4), may_alias));
typedef int32_t UnalignedI __attribute__((vector_size(LW_LANES * 4), aligned(4), may_alias));

inline V load(const float* from) { return *reinterpret_cast<const UnalignedV*>(from); }
inline void store(float* to, V value) { *reinterpret_cast<UnalignedV*>(to) = value; }
inline I load(const int32_t* from) { return *reinterpret_cast<const UnalignedI*>(from); }
inline V splat(float value) { return V{} + value; }
inline I splat(int32_t value) { return I{} + value; }
inline V max(V one, V other) { return one > other ? one : other; }
inline V min(V one, V other) { return one < other ? one : other; }
inline I bits_of(V value) { return (I)value; }
inline V of_bits(I value) { return (V)value; }
inline V to_float(I value) { return __builtin_convertvector(value, V); }

constexpr size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

inline float sum_of(V value) {
    float total = 0.0f;
    for (size_t lane = 0; lane < kLanes; ++lane) total += value[lane];
    return total;
}

inline float max_of(V value) {
    float greatest = value[0];
    for (size_t lane = 1; lane < kLanes; ++lane) greatest = value[lane] > greatest ? value[lane] : greatest;
    return greatest;
}

inline float min_of(V value) { return -max_of(-value); }

// Adding and taking away 1.5 * 2^23 leaves the nearest whole number, ties to even.
inline V nearest(V value) {
    const V shift = splat(12582912.0f);
    return (value + shift) - shift;
}

// exp with an error of about 1 unit in the last place (the polynomial of Cephes' expf); exactly 0 below -87.
inline V exponential(V x) {
    const V clamped = min(max(x, splat(-87.0f)), splat(88.0f));
    const V n = nearest(clamped * 1.44269504088896341f);
    V r = clamped - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    V p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + (r + 1.0f);
    const I power = (__builtin_convertvector(n, I) + 127) << 23;
    return x < splat(-87.0f) ? V{} : p * of_bits(power);
}

}  // namespace
