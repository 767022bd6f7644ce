// Memory for vectors: aligned, with room to read and write past the end by less than two of them.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace labelwise {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kSlackBytes = 256;

template <class T>
class Buffer {
   public:
    Buffer() = default;

    // The first `size` values are kept only when the buffer is large enough already.
    void need(std::size_t size) {
        if (size <= size_) return;
        const std::size_t bytes = size * sizeof(T) + kSlackBytes;
        memory_.reset();
        size_ = 0;
        memory_.reset(static_cast<T*>(::operator new(bytes, std::align_val_t(kAlignment))));
        std::memset(static_cast<void*>(memory_.get()), 0, bytes);
        size_ = size;
    }

    void fill(const T* from, std::size_t count, std::size_t size) {
        need(size);
        std::memcpy(memory_.get(), from, count * sizeof(T));
    }

    T* data() const { return memory_.get(); }
    bool is_empty() const { return size_ == 0; }

   private:
    struct Release {
        void operator()(T* memory) const { ::operator delete(memory, std::align_val_t(kAlignment)); }
    };
    std::unique_ptr<T, Release> memory_;
    std::size_t size_ = 0;
};

inline std::size_t filled(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace labelwise
