// Attention of one head over one sequence: content scores, both scores of relative positions (DeBERTa, arXiv
// 2006.03654), softmax and the sum of values, a tile of queries at a time; nothing is padded or gathered.
//
// A score of relative positions takes a window of a table: the row of query i reads the columns of distances
// -i, 1 - i, ...; a strip of several queries multiplies with the widest window of them and writes row after
// row one float further left, so that columns line up with keys. What falls outside lands in the margins.
#pragma once

#include "kernels.hpp"
#include "tile.hpp"
#include "transpose.hpp"

namespace {

using labelwise::AttentionTask;

constexpr size_t kTileQueries = 96;
constexpr size_t kTileKeys = 64;
constexpr size_t kMargin = kRows + 2 * kLanes;
constexpr float kMasked = -1e30f;

// Strides of the scratch memory's parts and where they begin, in floats.
struct AttentionSizes {
    size_t key_stride, value_stride, score_stride, turned_stride;
    size_t values, scores, turned, sums, out, segments, total;

    AttentionSizes(size_t keys, size_t head_size)
        // An odd number of vectors: rows do not fall on the same places of the cache.
        : key_stride(round_up(keys, 2 * kLanes) + kLanes),
          value_stride(round_up(head_size, kLanes)),
          score_stride(round_up(keys, 2 * kLanes) + kMargin),
          turned_stride(kTileQueries + kMargin + kLanes),
          values(head_size * key_stride),
          scores(values + keys * value_stride + kMargin),
          turned(scores + kTileQueries * score_stride + 2 * kMargin),
          sums(turned + kTileKeys * turned_stride + kMargin),
          out(sums + kTileQueries),
          segments(out + kTileQueries * value_stride),
          total(segments + round_up(keys, 2 * kLanes) + kLanes) {}
};

struct AttentionScratch {
    float *keys, *values, *scores, *turned, *sums, *out;
    int32_t* segments;

    AttentionScratch(float* at, const AttentionSizes& sizes)
        : keys(at),
          values(at + sizes.values),
          scores(at + sizes.scores),
          turned(at + sizes.turned),
          sums(at + sizes.sums),
          out(at + sizes.out),
          segments(reinterpret_cast<int32_t*>(at + sizes.segments)) {}
};

size_t attention_scratch(size_t most_keys, size_t head_size) { return AttentionSizes(most_keys, head_size).total; }

// Rows [count][size] to columns [size][stride], filled up with zeros to whole pairs of vectors.
inline void pack_keys(const AttentionTask& task, float* to, size_t stride) {
    const size_t filled = round_up(task.num_keys, 2 * kLanes);
    for (size_t key = 0; key < filled; key += kLanes) {
        for (size_t first = 0; first < task.head_size; first += kLanes) {
            const bool is_whole = key + kLanes <= task.num_keys && first + kLanes <= task.head_size;
            if (is_whole) {
                V rows[kLanes];
                for (size_t lane = 0; lane < kLanes; ++lane)
                    rows[lane] = load(task.keys + (key + lane) * task.key_stride + first);
                transpose(rows);
                for (size_t lane = 0; lane < kLanes; ++lane) store(to + (first + lane) * stride + key, rows[lane]);
                continue;
            }
            for (size_t part = first; part < task.head_size && part < first + kLanes; ++part) {
                for (size_t lane = key; lane < key + kLanes; ++lane)
                    to[part * stride + lane] = lane < task.num_keys ? task.keys[lane * task.key_stride + part] : 0.0f;
            }
        }
    }
}

inline void pack_values(const AttentionTask& task, float* to, size_t stride) {
    for (size_t key = 0; key < task.num_keys; ++key) {
        const float* from = task.values + key * task.key_stride;
        for (size_t part = 0; part < stride; ++part)
            to[key * stride + part] = part < task.head_size ? from[part] : 0.0f;
    }
}

// How many rows share a window: the most whose window needs no vector more than the smallest strip's.
inline size_t rows_per_window(size_t width) {
    size_t best = kRows;
    for (size_t rows = kRows; 2 * rows >= kRows; --rows) {
        if (round_up(width + rows - 1, kLanes) < round_up(width + best - 1, kLanes)) best = rows;
    }
    return best;
}

// scores = queries against the keys' relative positions.
inline void score_key_positions(const AttentionTask& task, size_t first, size_t count, size_t place,
                                const AttentionSizes& sizes, float* scores) {
    const size_t strip_rows = rows_per_window(task.num_keys);
    for (size_t row = 0; row < count; row += strip_rows) {
        const size_t rows = count - row < strip_rows ? count - row : strip_rows;
        const float* window = task.key_table + task.middle - (place + row + rows - 1);
        strip<false>(rows, task.num_keys + rows - 1, task.queries + (first + row) * task.query_stride,
                     task.query_stride, window, task.table_stride, task.head_size,
                     scores + row * sizes.score_stride - (rows - 1), sizes.score_stride + 1);
    }
}

inline void add_turned(const float* turned, size_t turned_stride, size_t num_keys, size_t num_queries, float* scores,
                       size_t score_stride) {
    for (size_t key = 0; key < num_keys; key += kLanes) {
        for (size_t query = 0; query < num_queries; query += kLanes) {
            V rows[kLanes];
            for (size_t lane = 0; lane < kLanes; ++lane)
                rows[lane] = load(turned + (key + lane) * turned_stride + query);
            transpose(rows);
            const size_t lanes = num_queries - query < kLanes ? num_queries - query : kLanes;
            for (size_t lane = 0; lane < lanes; ++lane) {
                float* to = scores + (query + lane) * score_stride + key;
                store(to, load(to) + rows[lane]);
            }
        }
    }
}

// scores += keys against the queries' relative positions; computed by key and turned around.
inline void add_query_positions(const AttentionTask& task, size_t count, size_t place, const AttentionSizes& sizes,
                                float* turned, float* scores) {
    const size_t strip_rows = rows_per_window(count);
    for (size_t first = 0; first < task.num_keys; first += kTileKeys) {
        const size_t keys = task.num_keys - first < kTileKeys ? task.num_keys - first : kTileKeys;
        for (size_t row = 0; row < keys; row += strip_rows) {
            const size_t rows = keys - row < strip_rows ? keys - row : strip_rows;
            const float* window = task.query_table + task.middle + place - (first + row + rows - 1);
            strip<false>(rows, count + rows - 1, task.keys + (first + row) * task.key_stride, task.key_stride, window,
                         task.table_stride, task.head_size, turned + row * sizes.turned_stride - (rows - 1),
                         sizes.turned_stride + 1);
        }
        add_turned(turned, sizes.turned_stride, keys, count, scores + first, sizes.score_stride);
    }
}

template <size_t... L>
inline V reversed(V value, Lanes<L...>) {
    return LW_SHUFFLE(value, value, static_cast<int32_t>(kLanes - 1 - L)...);
}

// The same for one query: its window read backwards goes along the keys.
inline void add_query_positions_of_one(const AttentionTask& task, size_t place, const AttentionSizes& sizes,
                                       const float* keys, float* scores) {
    for (size_t key = 0; key < task.num_keys; key += kLanes) {
        const float* window = task.query_table + task.middle + place - key - (kLanes - 1);
        V total = load(scores + key);
        for (size_t part = 0; part < task.head_size; ++part)
            total += load(keys + part * sizes.key_stride + key) *
                     reversed(load(window + part * task.table_stride), AllLanes{});
        store(scores + key, total);
    }
}

inline void mask_other_segments(const int32_t* segments, int32_t own, size_t num_keys, float* scores) {
    for (size_t key = 0; key < num_keys; key += kLanes) {
        const I there = load(segments + key);
        const I is_seen = (there == 0) | (there == own);
        store(scores + key, is_seen ? load(scores + key) : splat(kMasked));
    }
}

// Leaves exp(score - greatest) and returns one over their sum.
inline float exponentials(float* scores, size_t num_keys) {
    const size_t filled = round_up(num_keys, kLanes);
    for (size_t key = num_keys; key < filled; ++key) scores[key] = kMasked;
    V greatest = load(scores);
    for (size_t key = kLanes; key < filled; key += kLanes) greatest = max(greatest, load(scores + key));
    const V highest = splat(max_of(greatest));
    V total{};
    for (size_t key = 0; key < filled; key += kLanes) {
        const V value = exponential(load(scores + key) - highest);
        store(scores + key, value);
        total += value;
    }
    return 1.0f / sum_of(total);
}

inline void score_content(const AttentionTask& task, size_t first, size_t count, const AttentionSizes& sizes,
                          const float* keys, float* scores) {
    for (size_t row = 0; row < count; row += kRows) {
        const size_t rows = count - row < kRows ? count - row : kRows;
        const float* queries = task.queries + (first + row) * task.query_stride;
        float* to = scores + row * sizes.score_stride;
        if (task.key_table) {
            strip<true>(rows, task.num_keys, queries, task.query_stride, keys, sizes.key_stride, task.head_size, to,
                        sizes.score_stride);
        } else {
            strip<false>(rows, task.num_keys, queries, task.query_stride, keys, sizes.key_stride, task.head_size, to,
                         sizes.score_stride);
        }
    }
}

inline void mix_values(const AttentionTask& task, size_t first, size_t count, const AttentionSizes& sizes,
                       const AttentionScratch& at) {
    for (size_t row = 0; row < count; row += kRows) {
        const size_t rows = count - row < kRows ? count - row : kRows;
        strip<false>(rows, task.head_size, at.scores + row * sizes.score_stride, sizes.score_stride, at.values,
                     sizes.value_stride, task.num_keys, at.out + row * sizes.value_stride, sizes.value_stride);
    }
    for (size_t row = 0; row < count; ++row) {
        float* to = task.out + (first + row) * task.out_stride;
        for (size_t part = 0; part < task.head_size; ++part)
            to[part] = at.out[row * sizes.value_stride + part] * at.sums[row];
    }
}

inline size_t place_of(const AttentionTask& task, size_t query) {
    return task.query_places ? static_cast<size_t>(task.query_places[query]) : query;
}

// How many queries from `first` on are one tile: their tokens must follow each other where positions count.
inline size_t tile_from(const AttentionTask& task, size_t first) {
    const bool needs_neighbours = task.query_places && (task.key_table || task.query_table);
    size_t count = 1;
    while (count < kTileQueries && first + count < task.num_queries &&
           (!needs_neighbours || place_of(task, first + count) == place_of(task, first) + count))
        ++count;
    return count;
}

void attend(const AttentionTask& task, float* scratch) {
    const AttentionSizes sizes(task.num_keys, task.head_size);
    const AttentionScratch at(scratch, sizes);
    pack_keys(task, at.keys, sizes.key_stride);
    pack_values(task, at.values, sizes.value_stride);
    if (task.segments) {
        for (size_t key = 0; key < task.num_keys; ++key) at.segments[key] = task.segments[key];
    }
    for (size_t first = 0, count = 0; first < task.num_queries; first += count) {
        count = tile_from(task, first);
        const size_t place = place_of(task, first);
        if (task.key_table) score_key_positions(task, first, count, place, sizes, at.scores);
        score_content(task, first, count, sizes, at.keys, at.scores);
        if (task.query_table && count == 1) {
            add_query_positions_of_one(task, place, sizes, at.keys, at.scores);
        } else if (task.query_table) {
            add_query_positions(task, count, place, sizes, at.turned, at.scores);
        }
        for (size_t row = 0; row < count; ++row) {
            float* scores = at.scores + row * sizes.score_stride;
            if (task.segments)
                mask_other_segments(at.segments, task.segments[place_of(task, first + row)], task.num_keys, scores);
            at.sums[row] = exponentials(scores, task.num_keys);
        }
        mix_values(task, first, count, sizes, at);
    }
}

}  // namespace
