// Numbers of 16 bits that become float32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace labelwise {

inline float float_of_bits(uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline float float_of_bfloat(uint16_t bits) { return float_of_bits(static_cast<uint32_t>(bits) << 16); }

inline float float_of_half(uint16_t bits) {
    // The exponent moves by the difference of the biases; a product does that for small numbers too.
    const float value = float_of_bits((bits & 0x7fffu) << 13) * 0x1p112f;
    const bool is_finite = (bits & 0x7c00u) != 0x7c00u;
    const float size = is_finite ? value : float_of_bits(0x7f800000u | (bits & 0x3ffu) << 13);
    return bits & 0x8000u ? -size : size;
}

// From bytes, since a table in a file may begin at an odd one.
template <float (*Widen)(uint16_t)>
void widen_all(const char* from, std::size_t count, float* to) {
    for (std::size_t k = 0; k < count; ++k) {
        uint16_t bits;
        std::memcpy(&bits, from + k * sizeof bits, sizeof bits);
        to[k] = Widen(bits);
    }
}

}  // namespace labelwise
