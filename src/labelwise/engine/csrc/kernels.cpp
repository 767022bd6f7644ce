// Compiled once per instruction set, with LW_TABLE naming the table that it fills.
#include "kernels.hpp"

#include "attention.hpp"
#include "gemm_f32.hpp"
#include "gemm_s8.hpp"
#include "norm.hpp"

#define LW_TEXT_OF(name) #name
#define LW_TEXT(name) LW_TEXT_OF(name)

namespace labelwise {

extern const Kernels LW_TABLE;
const Kernels LW_TABLE = {
    LW_TEXT(LW_TABLE), kPanel,     pack_f32,  packed_s8_bytes, pack_s8,           quantised_row_bytes,
    quantise,          linear_f32, linear_s8, add_norm,        attention_scratch, attend,
};

}  // namespace labelwise
