#include "encoder.hpp"

#include <algorithm>

#include "halves.hpp"

namespace labelwise {
namespace {

// Rows that one thread takes through a layer at a time: they stay in its cache.
constexpr std::size_t kChunkRows = 48;
constexpr std::size_t kRowStep = 12;
// With fewer rows per thread, weights are what costs: each thread then reads its own part of them.
constexpr std::size_t kFewRows = 24;

std::size_t chunk_rows(std::size_t rows, std::size_t threads) {
    const std::size_t rounds = std::max<std::size_t>(1, rows / (threads * kChunkRows));
    return filled((rows + threads * rounds - 1) / (threads * rounds), kRowStep);
}

bool are_few(std::size_t rows, const Team& team) { return team.size() > 1 && rows < kFewRows * team.size(); }

template <class F>
void each_chunk(Team& team, std::size_t rows, F&& work) {
    if (rows == 0) return;
    const std::size_t size = chunk_rows(rows, team.size());
    auto chunk = [&](std::size_t number, std::size_t thread) {
        const std::size_t first = number * size;
        work(first, std::min(size, rows - first), thread);
    };
    team.each((rows + size - 1) / size, chunk);
}

}  // namespace

Encoder::Encoder(const Kernels& kernels, std::size_t threads, const Shape& shape, std::size_t num_heads_on_top)
    : kernels_(kernels),
      pool_(threads),
      hidden_(static_cast<std::size_t>(shape.hidden)),
      heads_(static_cast<std::size_t>(shape.heads)),
      inner_(static_cast<std::size_t>(shape.inner)),
      layers_(static_cast<std::size_t>(shape.layers)),
      epsilon_(shape.epsilon),
      hidden_stride_(filled(hidden_, kernels.panel)),
      qkv_stride_(filled(3 * hidden_, kernels.panel)),
      inner_stride_(filled(inner_, kernels.panel)),
      linears_(layers_ * kLinears + num_heads_on_top),
      norms_(layers_ * kNorms),
      tables_(std::make_shared<TableSet>(layers_ * kTables)) {}

void Encoder::set_embeddings(const Embeddings& embeddings) {
    embeddings_ = embeddings;
    const auto size = [&](int64_t rows) { return static_cast<std::size_t>(rows) * hidden_; };
    if (embeddings.positions)
        position_rows_.fill(embeddings.positions, size(embeddings.num_positions), size(embeddings.num_positions));
    if (embeddings.types) type_rows_.fill(embeddings.types, size(embeddings.num_types), size(embeddings.num_types));
    embedding_norm_.weight.fill(embeddings.norm_weight, hidden_, hidden_);
    embedding_norm_.bias.fill(embeddings.norm_bias, hidden_, hidden_);
}

void Encoder::set_table(std::size_t layer, TableName which, const float* projected, const int64_t* row_of_column,
                        std::size_t reach) {
    std::lock_guard<std::mutex> guard(tables_lock_);
    auto changed = std::make_shared<TableSet>(*tables_);
    changed->at(layer * kTables + which) =
        std::make_shared<PositionTable>(projected, hidden_, row_of_column, reach);
    tables_ = changed;
}

std::shared_ptr<const Encoder::TableSet> Encoder::tables_for(std::size_t longest) {
    std::lock_guard<std::mutex> guard(tables_lock_);
    const bool is_enough = std::all_of(tables_->begin(), tables_->end(),
                                       [&](const auto& table) { return !table || table->reach() >= longest; });
    if (is_enough) return tables_;
    std::size_t reach = 64;
    while (reach < longest) reach *= 2;
    auto wider = std::make_shared<TableSet>(*tables_);
    for (auto& table : *wider) {
        if (table && table->reach() < longest) table = std::make_shared<PositionTable>(*table, reach);
    }
    tables_ = wider;
    return tables_;
}

std::unique_ptr<Encoder::Workspace> Encoder::borrow() {
    std::lock_guard<std::mutex> guard(spaces_lock_);
    if (spaces_.empty()) {
        auto space = std::make_unique<Workspace>();
        space->threads.resize(pool_.threads());
        return space;
    }
    auto space = std::move(spaces_.back());
    spaces_.pop_back();
    return space;
}

void Encoder::give_back(std::unique_ptr<Workspace> space) {
    std::lock_guard<std::mutex> guard(spaces_lock_);
    spaces_.push_back(std::move(space));
}

bool Encoder::are_in_range(const Batch& batch, std::size_t num_tokens) const {
    const auto fits = [&](const int64_t* values, int64_t end) {
        return !values || std::all_of(values, values + num_tokens, [&](int64_t v) { return v >= 0 && v < end; });
    };
    return fits(batch.ids, embeddings_.vocabulary) &&
           (position_rows_.is_empty() || fits(batch.positions, embeddings_.num_positions)) &&
           (type_rows_.is_empty() || fits(batch.types, embeddings_.num_types));
}

bool Encoder::run(const Batch& batch, float* out) {
    const auto num_sequences = static_cast<std::size_t>(batch.num_sequences);
    const auto num_tokens = static_cast<std::size_t>(batch.offsets[num_sequences]);
    if (!are_in_range(batch, num_tokens)) return false;
    std::size_t longest = 0;
    for (std::size_t s = 0; s < num_sequences; ++s)
        longest = std::max(longest, static_cast<std::size_t>(batch.offsets[s + 1] - batch.offsets[s]));
    const auto tables = tables_for(longest);
    auto space = borrow();
    Team team(pool_);
    Run run{batch, team, *space, *tables, num_tokens, batch.num_kept < 0};
    find_kept(run);
    for (ThreadScratch& scratch : space->threads)
        scratch.attention.need(kernels_.attention_scratch(longest, hidden_ / heads_));
    run_layers(run);
    const float* rows = run.keeps_all ? space->x.data() : space->kept_x.data();
    const std::size_t count = run.keeps_all ? num_tokens : static_cast<std::size_t>(batch.num_kept);
    for (std::size_t row = 0; row < count; ++row)
        std::memcpy(out + row * hidden_, rows + row * hidden_stride_, hidden_ * sizeof(float));
    give_back(std::move(space));
    return true;
}

void Encoder::find_kept(Run& run) const {
    Workspace& space = run.space;
    if (run.keeps_all) return;
    const auto count = static_cast<std::size_t>(run.batch.num_kept);
    const auto num_sequences = static_cast<std::size_t>(run.batch.num_sequences);
    space.kept_places.need(count);
    space.kept_x.need(count * hidden_stride_);
    space.kept_q.need(count * qkv_stride_);
    space.first_kept.assign(num_sequences + 1, 0);
    std::size_t row = 0;
    for (std::size_t s = 0; s < num_sequences; ++s) {
        space.first_kept[s] = row;
        for (; row < count && run.batch.kept[row] < run.batch.offsets[s + 1]; ++row)
            space.kept_places.data()[row] = static_cast<int32_t>(run.batch.kept[row] - run.batch.offsets[s]);
    }
    space.first_kept[num_sequences] = row;
}

void Encoder::run_layers(Run& run) const {
    Workspace& space = run.space;
    space.x.need(run.num_tokens * hidden_stride_);
    space.qkv.need(run.num_tokens * qkv_stride_);
    space.context.need(run.num_tokens * hidden_stride_);
    const bool is_few = are_few(run.num_tokens, run.team);
    each_chunk(run.team, run.num_tokens, [&](std::size_t first, std::size_t count, std::size_t thread) {
        embed(run.batch, first, count, space.x.data() + first * hidden_stride_);
        if (!is_few) project(run, 0, first, count, space.threads[thread]);
    });
    for (std::size_t layer = 0; layer < layers_; ++layer) {
        if (is_few) {
            const Linear& qkv = linears_[layer * kLinears + kQueryKeyValue];
            apply_few(run, qkv, space.x.data(), hidden_stride_, run.num_tokens, first_projected_panel(run, layer),
                      qkv.panels(), space.qkv.data(), qkv_stride_);
        }
        const bool is_narrowed = is_last(layer) && !run.keeps_all;
        if (is_narrowed) project_kept(run);
        attend(run, layer);
        float* x = is_narrowed ? space.kept_x.data() : space.x.data();
        const std::size_t rows = is_narrowed ? static_cast<std::size_t>(run.batch.num_kept) : run.num_tokens;
        if (are_few(rows, run.team)) {
            finish_few(run, layer, space.context.data(), x, rows);
            continue;
        }
        each_chunk(run.team, rows, [&](std::size_t first, std::size_t count, std::size_t thread) {
            const std::size_t at = first * hidden_stride_;
            finish_rows(layer, space.context.data() + at, x + at, count, space.threads[thread]);
            if (!is_last(layer)) project(run, layer + 1, first, count, space.threads[thread]);
        });
    }
}

void Encoder::read_word(std::size_t id, float* to) const {
    const std::size_t first = id * hidden_;
    if (embeddings_.word_kind == kInt8) {
        const int8_t* from = static_cast<const int8_t*>(embeddings_.words) + first;
        const float scale = embeddings_.word_scales[id];
        for (std::size_t k = 0; k < hidden_; ++k) to[k] = static_cast<float>(from[k]) * scale;
    } else if (embeddings_.word_kind == kFloat32) {
        std::memcpy(to, static_cast<const float*>(embeddings_.words) + first, hidden_ * sizeof(float));
    } else {
        const char* from = static_cast<const char*>(embeddings_.words) + first * sizeof(uint16_t);
        if (embeddings_.word_kind == kFloat16) {
            widen_all<float_of_half>(from, hidden_, to);
        } else {
            widen_all<float_of_bfloat>(from, hidden_, to);
        }
    }
}

void Encoder::embed(const Batch& batch, std::size_t first, std::size_t count, float* x) const {
    for (std::size_t row = 0; row < count; ++row) {
        const auto token = first + row;
        const auto id = static_cast<std::size_t>(batch.ids[token]);
        float* to = x + row * hidden_stride_;
        read_word(id, to);
        if (!position_rows_.is_empty()) {
            const float* from = position_rows_.data() + static_cast<std::size_t>(batch.positions[token]) * hidden_;
            for (std::size_t k = 0; k < hidden_; ++k) to[k] += from[k];
        }
        if (!type_rows_.is_empty()) {
            const auto type = batch.types ? static_cast<std::size_t>(batch.types[token]) : 0;
            const float* from = type_rows_.data() + type * hidden_;
            for (std::size_t k = 0; k < hidden_; ++k) to[k] += from[k];
        }
    }
    kernels_.add_norm(x, hidden_stride_, nullptr, 0, count, hidden_, embedding_norm_.weight.data(),
                      embedding_norm_.bias.data(), epsilon_);
}

// In the last layer the queries of most rows are not needed: panels of queries alone are left out.
std::size_t Encoder::first_projected_panel(const Run& run, std::size_t layer) const {
    return is_last(layer) && !run.keeps_all ? hidden_ / kernels_.panel : 0;
}

void Encoder::project(Run& run, std::size_t layer, std::size_t first, std::size_t count,
                      ThreadScratch& scratch) const {
    const Linear& qkv = linears_[layer * kLinears + kQueryKeyValue];
    apply_rows(qkv, run.space.x.data() + first * hidden_stride_, hidden_stride_, count,
               first_projected_panel(run, layer), qkv.panels(), run.space.qkv.data() + first * qkv_stride_,
               qkv_stride_, scratch.quantised);
}

void Encoder::project_kept(Run& run) const {
    Workspace& space = run.space;
    const auto count = static_cast<std::size_t>(run.batch.num_kept);
    for (std::size_t row = 0; row < count; ++row)
        std::memcpy(space.kept_x.data() + row * hidden_stride_,
                    space.x.data() + static_cast<std::size_t>(run.batch.kept[row]) * hidden_stride_,
                    hidden_stride_ * sizeof(float));
    const Linear& qkv = linears_[(layers_ - 1) * kLinears + kQueryKeyValue];
    const std::size_t panels = hidden_stride_ / kernels_.panel;
    if (are_few(count, run.team)) {
        apply_few(run, qkv, space.kept_x.data(), hidden_stride_, count, 0, panels, space.kept_q.data(), qkv_stride_);
        return;
    }
    each_chunk(run.team, count, [&](std::size_t first, std::size_t rows, std::size_t thread) {
        apply_rows(qkv, space.kept_x.data() + first * hidden_stride_, hidden_stride_, rows, 0, panels,
                   space.kept_q.data() + first * qkv_stride_, qkv_stride_, space.threads[thread].quantised);
    });
}

void Encoder::attend(Run& run, std::size_t layer) const {
    const auto num_sequences = static_cast<std::size_t>(run.batch.num_sequences);
    run.team.each(num_sequences * heads_, [&](std::size_t number, std::size_t thread) {
        attend_one(run, layer, number / heads_, number % heads_, run.space.threads[thread].attention.data());
    });
}

void Encoder::attend_one(Run& run, std::size_t layer, std::size_t sequence, std::size_t head, float* scratch) const {
    const Workspace& space = run.space;
    const bool is_narrowed = is_last(layer) && !run.keeps_all;
    const auto begin = static_cast<std::size_t>(run.batch.offsets[sequence]);
    const std::size_t column = head * (hidden_ / heads_);
    const float* rows = space.qkv.data() + begin * qkv_stride_ + column;
    AttentionTask task;
    task.num_keys = static_cast<std::size_t>(run.batch.offsets[sequence + 1]) - begin;
    task.head_size = hidden_ / heads_;
    task.keys = rows + hidden_;
    task.values = rows + 2 * hidden_;
    task.key_stride = task.query_stride = qkv_stride_;
    task.out_stride = hidden_stride_;
    task.segments = run.batch.segments ? run.batch.segments + begin : nullptr;
    if (is_narrowed) {
        const std::size_t first = space.first_kept[sequence];
        task.num_queries = space.first_kept[sequence + 1] - first;
        task.queries = space.kept_q.data() + first * qkv_stride_ + column;
        task.query_places = space.kept_places.data() + first;
        task.out = space.context.data() + first * hidden_stride_ + column;
    } else {
        task.num_queries = task.num_keys;
        task.queries = rows;
        task.out = space.context.data() + begin * hidden_stride_ + column;
    }
    const PositionTable* tables[kTables];
    for (std::size_t which = 0; which < kTables; ++which) {
        tables[which] = run.tables[layer * kTables + which].get();
        if (!tables[which]) continue;
        task.table_stride = tables[which]->stride();
        task.middle = tables[which]->middle();
    }
    if (tables[kKeyTable]) task.key_table = tables[kKeyTable]->row(column);
    if (tables[kQueryTable]) task.query_table = tables[kQueryTable]->row(column);
    kernels_.attend(task, scratch);
}

void Encoder::apply_rows(const Linear& linear, const float* x, std::size_t x_stride, std::size_t rows,
                         std::size_t first, std::size_t last, float* y, std::size_t y_stride,
                         QuantisedScratch& scratch) const {
    linear.prepare(x, x_stride, rows, scratch);
    linear.apply(x, x_stride, scratch, rows, first, last, y, y_stride);
}

void Encoder::apply_few(Run& run, const Linear& linear, const float* x, std::size_t x_stride, std::size_t rows,
                        std::size_t first, std::size_t last, float* y, std::size_t y_stride) const {
    QuantisedScratch& scratch = run.space.shared.quantised;
    linear.prepare(x, x_stride, rows, scratch);
    const std::size_t parts = std::min(4 * run.team.size(), last - first);
    run.team.each(parts, [&](std::size_t part, std::size_t) {
        const std::size_t from = first + (last - first) * part / parts;
        const std::size_t to = first + (last - first) * (part + 1) / parts;
        linear.apply(x, x_stride, scratch, rows, from, to, y, y_stride);
    });
}

// All of a layer after its attention; apply(linear, from, from_stride, to, to_stride) makes a product for all rows.
template <class Apply>
void Encoder::finish(std::size_t layer, const float* context, float* x, std::size_t rows, RowScratch& scratch,
                     const Apply& apply) const {
    const Linear* linear = &linears_[layer * kLinears];
    const Norm* norm = &norms_[layer * kNorms];
    scratch.narrow.need(rows * hidden_stride_);
    scratch.wide.need(rows * inner_stride_);
    float* narrow = scratch.narrow.data();
    float* wide = scratch.wide.data();
    const auto add_norm = [&](const Norm& one) {
        kernels_.add_norm(x, hidden_stride_, narrow, hidden_stride_, rows, hidden_, one.weight.data(),
                          one.bias.data(), epsilon_);
    };
    apply(linear[kAttentionOutput], context, hidden_stride_, narrow, hidden_stride_);
    add_norm(norm[kAfterAttention]);
    apply(linear[kUp], x, hidden_stride_, wide, inner_stride_);
    apply(linear[kDown], wide, inner_stride_, narrow, hidden_stride_);
    add_norm(norm[kAfterFeedForward]);
}

// For rows that one thread takes.
void Encoder::finish_rows(std::size_t layer, const float* context, float* x, std::size_t rows,
                          RowScratch& scratch) const {
    finish(layer, context, x, rows, scratch,
           [&](const Linear& linear, const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
               apply_rows(linear, from, from_stride, rows, 0, linear.panels(), to, to_stride, scratch.quantised);
           });
}

// For so few rows that the threads share them and divide the weights.
void Encoder::finish_few(Run& run, std::size_t layer, const float* context, float* x, std::size_t rows) const {
    finish(layer, context, x, rows, run.space.shared,
           [&](const Linear& linear, const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
               apply_few(run, linear, from, from_stride, rows, 0, linear.panels(), to, to_stride);
           });
}

void Encoder::apply(std::size_t number, const float* x, std::size_t rows, float* y) {
    const Linear& linear = linears_.at(number);
    const std::size_t stride = linear.panels() * kernels_.panel;
    auto space = borrow();
    space->shared.narrow.need(rows * stride);
    Team team(pool_);
    each_chunk(team, rows, [&](std::size_t first, std::size_t count, std::size_t thread) {
        float* filled_rows = space->shared.narrow.data() + first * stride;
        apply_rows(linear, x + first * linear.in(), linear.in(), count, 0, linear.panels(), filled_rows, stride,
                   space->threads[thread].quantised);
        for (std::size_t row = 0; row < count; ++row)
            std::memcpy(y + (first + row) * linear.out(), filled_rows + row * stride, linear.out() * sizeof(float));
    });
    give_back(std::move(space));
}

}  // namespace labelwise
