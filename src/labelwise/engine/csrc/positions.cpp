#include "positions.hpp"

#include <algorithm>

namespace labelwise {
namespace {

// An odd number of cache lines, so that rows do not fall on the same places of the cache.
std::size_t odd_stride(std::size_t reach) {
    const std::size_t lines = filled(2 * reach + 1 + 2 * kTableMargin, 16) / 16;
    return (lines | 1) * 16;
}

}  // namespace

PositionTable::PositionTable(std::size_t hidden, std::size_t reach)
    : hidden_(hidden), reach_(reach), stride_(odd_stride(reach)) {
    columns_.need(hidden_ * stride_);
}

PositionTable::PositionTable(const float* projected, std::size_t hidden, const int64_t* row_of_column,
                             std::size_t reach)
    : PositionTable(hidden, reach) {
    for (std::size_t column = 0; column < 2 * reach + 1; ++column) {
        const float* from = projected + static_cast<std::size_t>(row_of_column[column]) * hidden;
        float* to = columns_.data() + kTableMargin + column;
        for (std::size_t number = 0; number < hidden; ++number) to[number * stride_] = from[number];
    }
}

PositionTable::PositionTable(const PositionTable& narrower, std::size_t reach)
    : PositionTable(narrower.hidden_, reach) {
    const std::size_t more = reach - narrower.reach_;
    const std::size_t width = 2 * narrower.reach_ + 1;
    for (std::size_t number = 0; number < hidden_; ++number) {
        const float* from = narrower.row(number) + kTableMargin;
        float* to = columns_.data() + number * stride_ + kTableMargin;
        std::fill(to, to + more, from[0]);
        std::copy(from, from + width, to + more);
        std::fill(to + more + width, to + 2 * more + width, from[width - 1]);
    }
}

}  // namespace labelwise
