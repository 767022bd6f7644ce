// What is compiled once per instruction set, as one table of functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace labelwise {

enum class Activation : int32_t { none = 0, gelu = 1, gelu_tanh = 2, relu = 3, tanh = 4, sigmoid = 5, silu = 6 };

// A linear layer in the order in which its product reads it: panels of `Kernels::panel` outputs.
struct PackedLinear {
    size_t in = 0;
    size_t out = 0;
    Activation activation = Activation::none;
    const float* bias = nullptr;     // [out], filled up to whole panels
    const float* weights = nullptr;  // float32: [panels][in][panel]
    // 8 bits: inputs in groups of `group`, each with scales of its own.
    size_t group = 0;
    const void* integers = nullptr;       // [panels][in, each group filled up][panel]
    const float* scales = nullptr;        // [groups][out, filled up]
    const float* scaled_sums = nullptr;   // [groups][out, filled up]: the sums of each group's weights
};

// Rows of activations in 8 bits: value = scale * integer + shift, with scale and shift per row and group.
struct QuantisedRows {
    void* integers = nullptr;  // [rows][row_bytes]
    float* scales = nullptr;   // [rows][groups]
    float* shifts = nullptr;   // [rows][groups]
};

// One head of one sequence. Rows of queries, keys and values lie `*_stride` floats apart.
struct AttentionTask {
    const float* queries = nullptr;
    size_t query_stride = 0;
    size_t num_queries = 0;
    const int32_t* query_places = nullptr;  // place of each query's token in the sequence; null: all, in order
    const float* keys = nullptr;
    const float* values = nullptr;
    size_t key_stride = 0;
    size_t num_keys = 0;
    size_t head_size = 0;
    const int32_t* segments = nullptr;  // per key; null: every token sees every token
    // Projected relative positions [head_size][table_stride]; the column `middle + d` is distance d.
    const float* key_table = nullptr;    // by key - query; null: no such score
    const float* query_table = nullptr;  // by query - key; null: no such score
    size_t table_stride = 0;
    size_t middle = 0;
    float* out = nullptr;
    size_t out_stride = 0;
};

struct Kernels {
    const char* name;
    size_t panel;  // outputs per panel of packed weights; rows of activations are filled up to it
    void (*pack_f32)(const float* weight, size_t out, size_t in, float* packed);
    size_t (*packed_s8_bytes)(size_t out, size_t in, size_t group);
    // `sums` [groups][out, filled up] are those of the integers.
    void (*pack_s8)(const int8_t* weight, size_t out, size_t in, size_t group, void* packed, float* sums);
    size_t (*quantised_row_bytes)(size_t in, size_t group);
    void (*quantise)(const float* x, size_t stride, size_t rows, size_t in, size_t group, QuantisedRows to);
    void (*linear_f32)(const PackedLinear&, const float* x, size_t x_stride, size_t rows, size_t first_panel,
                       size_t last_panel, float* y, size_t y_stride);
    void (*linear_s8)(const PackedLinear&, QuantisedRows x, size_t rows, size_t first_panel, size_t last_panel,
                      float* y, size_t y_stride);
    // x = norm(x + y), or norm(x) without y.
    void (*add_norm)(float* x, size_t x_stride, const float* y, size_t y_stride, size_t rows, size_t size,
                     const float* weight, const float* bias, float epsilon);
    size_t (*attention_scratch)(size_t most_keys, size_t head_size);  // in floats
    void (*attend)(const AttentionTask&, float* scratch);
};

// Columns on both sides of a table of relative positions that may be read and are never used.
constexpr size_t kTableMargin = 64;

}  // namespace labelwise
