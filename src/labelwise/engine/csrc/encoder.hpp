// A whole encoder on packed batches: all sequences end to end, no padding anywhere.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "linear.hpp"
#include "memory.hpp"
#include "pool.hpp"
#include "positions.hpp"

namespace labelwise {

struct Shape {
    int64_t hidden, heads, inner, layers;
    float epsilon;
};

// How the word table is stored; a row becomes float32 when a token needs it.
enum WordKind : int64_t { kFloat32 = 0, kInt8 = 1, kFloat16 = 2, kBfloat16 = 3 };

struct Embeddings {
    int64_t vocabulary, num_positions, num_types, word_kind;
    const void* words;         // [vocabulary][hidden]
    const float* word_scales;  // [vocabulary], with int8
    const float* positions;  // [num_positions][hidden], or null
    const float* types;      // [num_types][hidden], or null
    const float* norm_weight;
    const float* norm_bias;
};

struct Batch {
    int64_t num_sequences;
    const int64_t* offsets;    // [num_sequences + 1]: where each sequence begins
    const int64_t* ids;        // per token, as the next three
    const int64_t* positions;  // null without a table of them
    const int64_t* types;      // null for type 0
    const int32_t* segments;   // null: every token sees all of its sequence
    int64_t num_kept;          // rows that are asked for, ascending; negative for all
    const int64_t* kept;
};

struct Norm {
    Buffer<float> weight, bias;
};

// Which of a layer's linear layers; `Encoder::linear(layer * kLinears + which)`.
enum LinearName : std::size_t { kQueryKeyValue = 0, kAttentionOutput = 1, kUp = 2, kDown = 3, kLinears = 4 };
enum NormName : std::size_t { kAfterAttention = 0, kAfterFeedForward = 1, kNorms = 2 };
enum TableName : std::size_t { kKeyTable = 0, kQueryTable = 1, kTables = 2 };

class Encoder {
   public:
    Encoder(const Kernels& kernels, std::size_t threads, const Shape& shape, std::size_t num_heads_on_top);

    // The word table is not copied.
    void set_embeddings(const Embeddings& embeddings);
    void set_table(std::size_t layer, TableName which, const float* projected, const int64_t* row_of_column,
                   std::size_t reach);
    Linear& linear(std::size_t number) { return linears_.at(number); }
    Norm& norm(std::size_t number) { return norms_.at(number); }
    const Kernels& kernels() const { return kernels_; }
    std::size_t hidden() const { return hidden_; }

    // Writes the last layer's rows, [kept or all][hidden]. False: an id, type or position is out of range.
    bool run(const Batch& batch, float* out);
    // Applies a linear layer to rows without holes.
    void apply(std::size_t number, const float* x, std::size_t rows, float* y);

   private:
    using TableSet = std::vector<std::shared_ptr<const PositionTable>>;

    struct RowScratch {
        Buffer<float> narrow, wide;
        QuantisedScratch quantised;
    };
    struct ThreadScratch : RowScratch {
        Buffer<float> attention;
    };
    struct Workspace {
        Buffer<float> x, qkv, context, kept_x, kept_q;
        Buffer<int32_t> kept_places;
        RowScratch shared;  // by the threads that divide the weights
        std::vector<ThreadScratch> threads;
        std::vector<std::size_t> first_kept;  // per sequence, and the end
    };
    // What one run works with.
    struct Run {
        const Batch& batch;
        Team& team;
        Workspace& space;
        const TableSet& tables;
        std::size_t num_tokens;
        bool keeps_all;
    };

    bool are_in_range(const Batch& batch, std::size_t num_tokens) const;
    std::shared_ptr<const TableSet> tables_for(std::size_t longest);
    void find_kept(Run& run) const;
    void run_layers(Run& run) const;
    void read_word(std::size_t id, float* to) const;
    void embed(const Batch& batch, std::size_t first, std::size_t count, float* x) const;
    void project(Run& run, std::size_t layer, std::size_t first, std::size_t count, ThreadScratch& scratch) const;
    void project_kept(Run& run) const;
    void attend(Run& run, std::size_t layer) const;
    void attend_one(Run& run, std::size_t layer, std::size_t sequence, std::size_t head, float* scratch) const;
    template <class Apply>
    void finish(std::size_t layer, const float* context, float* x, std::size_t rows, RowScratch& scratch,
                const Apply& apply) const;
    void finish_rows(std::size_t layer, const float* context, float* x, std::size_t rows, RowScratch& scratch) const;
    void finish_few(Run& run, std::size_t layer, const float* context, float* x, std::size_t rows) const;
    void apply_rows(const Linear& linear, const float* x, std::size_t x_stride, std::size_t rows, std::size_t first,
                    std::size_t last, float* y, std::size_t y_stride, QuantisedScratch& scratch) const;
    void apply_few(Run& run, const Linear& linear, const float* x, std::size_t x_stride, std::size_t rows,
                   std::size_t first, std::size_t last, float* y, std::size_t y_stride) const;
    bool is_last(std::size_t layer) const { return layer + 1 == layers_; }
    std::size_t first_projected_panel(const Run& run, std::size_t layer) const;

    std::unique_ptr<Workspace> borrow();
    void give_back(std::unique_ptr<Workspace> space);

    const Kernels& kernels_;
    Pool pool_;
    std::size_t hidden_, heads_, inner_, layers_;
    float epsilon_;
    std::size_t hidden_stride_, qkv_stride_, inner_stride_;
    Embeddings embeddings_{};
    Buffer<float> position_rows_, type_rows_;
    Norm embedding_norm_;
    std::vector<Linear> linears_;
    std::vector<Norm> norms_;

    std::mutex tables_lock_;
    std::shared_ptr<const TableSet> tables_;
    std::mutex spaces_lock_;
    std::vector<std::unique_ptr<Workspace>> spaces_;
};

}  // namespace labelwise
