// A few threads that wait for work; one call at a time has them, other calls at that time work alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace labelwise {

class Pool {
   public:
    explicit Pool(size_t threads);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    size_t threads() const { return workers_.size() + 1; }

   private:
    friend class Team;
    using Work = void (*)(void* context, size_t number, size_t thread);

    void serve(size_t thread);
    void take_numbers(size_t thread);
    void wait_for_other_than(uint64_t seen);
    void run(size_t count, Work work, void* context);

    std::vector<std::thread> workers_;
    std::mutex in_use_;

    // One job. It is written only while it is closed and nobody is inside.
    Work work_ = nullptr;
    void* context_ = nullptr;
    size_t count_ = 0;
    std::atomic<size_t> next_{0};
    std::atomic<bool> is_open_{false};
    std::atomic<size_t> inside_{0};

    std::atomic<uint64_t> job_number_{0};
    std::atomic<size_t> sleepers_{0};
    std::atomic<bool> stops_{false};
    std::mutex sleep_;
    std::condition_variable wake_;
};

// The threads that one call works with: the pool's when they are free, else the caller alone.
class Team {
   public:
    explicit Team(Pool& pool) : pool_(pool), lock_(pool.in_use_, std::try_to_lock) {}

    size_t size() const { return lock_.owns_lock() ? pool_.threads() : 1; }

    // Calls work(number, thread) for each number below count; returns when all are done.
    template <class F>
    void each(size_t count, F work) {
        if (size() == 1 || count < 2) {
            for (size_t number = 0; number < count; ++number) work(number, size_t{0});
            return;
        }
        pool_.run(
            count, [](void* context, size_t number, size_t thread) { (*static_cast<F*>(context))(number, thread); },
            &work);
    }

   private:
    Pool& pool_;
    std::unique_lock<std::mutex> lock_;
};

}  // namespace labelwise
