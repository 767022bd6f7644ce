// Tables of projected relative positions, one column per distance, wide enough for the longest sequence so far.
#pragma once

#include "kernels.hpp"
#include "memory.hpp"

namespace labelwise {

// All heads of one layer: [hidden][stride], distance d in column kTableMargin + reach + d.
class PositionTable {
   public:
    // `projected` is [rows][hidden]; `row_of_column` names the row of each distance from -reach to reach.
    PositionTable(const float* projected, std::size_t hidden, const int64_t* row_of_column, std::size_t reach);
    // The same with a greater reach: the outermost columns go on.
    PositionTable(const PositionTable& narrower, std::size_t reach);

    std::size_t reach() const { return reach_; }
    std::size_t stride() const { return stride_; }
    std::size_t middle() const { return kTableMargin + reach_; }
    const float* row(std::size_t number) const { return columns_.data() + number * stride_; }

   private:
    PositionTable(std::size_t hidden, std::size_t reach);

    std::size_t hidden_, reach_, stride_;
    Buffer<float> columns_;
};

}  // namespace labelwise
