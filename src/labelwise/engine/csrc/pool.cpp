#include "pool.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace labelwise {
namespace {

// About 50 microseconds: longer than what a call does between two jobs, short enough to leave the cores to others.
constexpr int kSpins = 2000;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

}  // namespace

Pool::Pool(size_t threads) {
    for (size_t thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { serve(thread); });
}

Pool::~Pool() {
    {
        std::lock_guard<std::mutex> guard(sleep_);
        stops_ = true;
        ++job_number_;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void Pool::serve(size_t thread) {
    uint64_t seen = 0;
    while (true) {
        wait_for_other_than(seen);
        if (stops_) return;
        seen = job_number_;
        // First inside, then the look at the door: the caller closes it before it waits for `inside_`, so either
        // it sees this thread or this thread sees the closed door.
        ++inside_;
        if (is_open_) take_numbers(thread);
        --inside_;
    }
}

void Pool::take_numbers(size_t thread) {
    for (size_t number = next_++; number < count_; number = next_++) work_(context_, number, thread);
}

void Pool::wait_for_other_than(uint64_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
        if (job_number_ != seen) return;
        pause();
    }
    std::unique_lock<std::mutex> lock(sleep_);
    ++sleepers_;
    wake_.wait(lock, [&] { return job_number_ != seen; });
    --sleepers_;
}

void Pool::run(size_t count, Work work, void* context) {
    work_ = work;
    context_ = context;
    count_ = count;
    next_ = 0;
    is_open_ = true;
    ++job_number_;
    if (sleepers_ > 0) {
        { std::lock_guard<std::mutex> guard(sleep_); }
        wake_.notify_all();
    }
    take_numbers(0);
    // A worker that has not woken by now is not waited for.
    is_open_ = false;
    for (int spin = 0; inside_ > 0; ++spin) {
        if (spin < kSpins) {
            pause();
        } else {
            std::this_thread::yield();
        }
    }
}

}  // namespace labelwise
