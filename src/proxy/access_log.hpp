// The access log: a JSON line for each request that was relayed or answered. A worker puts what it knows into
// a bounded queue of its own and goes on; one thread makes the lines and writes them. What finds the queue
// full is dropped.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "proxy/metrics.hpp"

namespace agentdb9::proxy {

enum class AccessMode { kOff, kSampled, kAll };

struct AccessOptions {
    AccessMode mode = AccessMode::kOff;
    // With kSampled: one request in so many, and every one that was answered 500 or above.
    std::uint64_t sample = 100;
    std::size_t queue = 4'096;  // records a worker; rounded up to a power of two
    // Takes whole lines, each with its LF, on the log's own thread. Empty: the server's log.
    std::function<void(std::string_view)> write;
};

// Bytes that a line has of a path, and of any other text.
inline constexpr std::size_t kLongestPath = 1'024;
inline constexpr std::size_t kLongestText = 256;

struct AccessRecord {
    base::Time time;  // when the request's head had come
    RequestKind kind = RequestKind::kInvalid;
    std::string id;
    std::string method;
    std::string path;  // never with the query: tickets and tokens stand there
    std::string address;
    std::string upgrade;
    std::string reason;  // the refusal's word
    std::string user;
    std::string workspace;
    int port = 0;    // 0: none
    int status = 0;  // 0: none was sent
    int minor_version = 1;
    bool aborted = false;
    std::uint64_t bytes_in = 0;  // with heads, as they were on the connection
    std::uint64_t bytes_out = 0;
    std::int64_t duration_us = 0;
    std::int64_t connect_us = -1;  // negative: no connection was made, or no answer came
    std::int64_t first_byte_us = -1;

    // It ended at `now`, after `duration`.
    void took(std::chrono::nanoseconds duration, base::Time now) {
        time = now - std::chrono::duration_cast<base::Duration>(duration);
        duration_us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    }
};

// Appends the record's line, with its LF. Whatever is not printable ASCII becomes '?'; long paths are cut.
void append_access_line(const AccessRecord& record, std::string& out);

// One worker's queue: one thread puts in, one takes out.
class AccessLane {
  public:
    AccessLane(AccessMode mode, std::uint64_t sample, std::size_t queue);

    // Whether a request with this outcome is to be logged; counts it for the sample. The worker's thread.
    bool wants(int status);
    // Fills a place in the queue. False, and nothing done, when there is none. The worker's thread.
    template <class Fill>
    bool put(Fill fill) {
        const auto at = head_.load(std::memory_order_relaxed);
        if (at - tail_.load(std::memory_order_acquire) == places_.size()) return false;
        fill(places_[at & (places_.size() - 1)]);
        head_.store(at + 1, std::memory_order_release);
        return true;
    }
    // Hands every record that is there to `use`. The log's thread.
    template <class Use>
    void take(Use use) {
        const auto end = head_.load(std::memory_order_acquire);
        for (auto at = tail_.load(std::memory_order_relaxed); at != end; ++at) {
            use(places_[at & (places_.size() - 1)]);
            tail_.store(at + 1, std::memory_order_release);
        }
    }

  private:
    AccessMode mode_;
    std::uint64_t sample_;
    std::uint64_t seen_ = 0;
    // Their strings keep their memory from one record to the next.
    std::vector<AccessRecord> places_;
    alignas(64) std::atomic<std::uint64_t> head_ = 0;
    alignas(64) std::atomic<std::uint64_t> tail_ = 0;
};

class AccessLog {
  public:
    AccessLog(AccessOptions options, std::size_t workers);
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;
    // Writes what is still in the queues. After the workers' threads have ended.
    ~AccessLog();

    // Null when the log is off.
    AccessLane* lane(std::size_t worker) { return lanes_.empty() ? nullptr : lanes_[worker].get(); }

  private:
    void run();
    void write_all();

    AccessOptions options_;
    std::vector<std::unique_ptr<AccessLane>> lanes_;
    std::string lines_;  // the thread's
    std::mutex mutex_;
    std::condition_variable woken_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace agentdb9::proxy
