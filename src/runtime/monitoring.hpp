// What a runtime tells of an instance while it lives: the lines that it prints and what it uses. Two
// implementations: docker::DockerRuntime and, in the tests, one that is told what to say.
//
// Control executor. Errors as in runtime.hpp; the id of an instance that is not this installation's is that
// of one that is not there (kNotFound "instance_not_found").
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/async.hpp"
#include "base/time.hpp"
#include "model/idle.hpp"

namespace agentdb9::runtime {

enum class OutputStream { kStdout, kStderr };

struct OutputLine {
    std::int64_t at_ns = 0;  // since 1970, by the runtime's clock; where a line came in pieces, of the first
    OutputStream stream = OutputStream::kStdout;
    std::string text;  // without its end, UTF-8 whatever was printed
    bool cut = false;  // there was more of it than kLongestLine
};
inline constexpr std::size_t kLongestLine = std::size_t{64} << 10;  // bytes

// Takes lines in the order in which the runtime has them, which may differ a little from that of their times.
class OutputSink {
  public:
    virtual ~OutputSink() = default;
    virtual void on_line(OutputLine line) = 0;
    // Called now and then between two lines; nothing more is read until it ends.
    virtual Task<> pause() = 0;
};

struct OutputQuery {
    std::optional<std::int64_t> tail;      // the last lines only
    std::optional<std::int64_t> since_ns;  // from this moment on, inclusive
    bool follow = false;                   // and those to come, until the instance ends
};

// What an instance uses at a moment. Counters are since its start.
struct Usage {
    base::Time at;
    double cpu_percent = 0;          // of one processor: 200 are two
    int cpus = 0;                    // that it could use
    std::uint64_t memory_bytes = 0;  // without what the kernel may drop at once (page cache)
    std::uint64_t memory_cache_bytes = 0;
    std::uint64_t memory_limit_bytes = 0;
    std::uint64_t received_bytes = 0;  // over all networks
    std::uint64_t sent_bytes = 0;
    std::uint64_t read_bytes = 0;  // from block devices
    std::uint64_t written_bytes = 0;
    std::uint64_t pids = 0;  // threads count
};

class UsageSink {
  public:
    virtual ~UsageSink() = default;
    virtual void on_usage(const Usage& usage) = 0;
};

class Monitoring {
  public:
    virtual ~Monitoring() = default;

    // Returns once all lines have been given; with `follow`, once the instance has ended. The sink outlives
    // the call.
    virtual Task<> read_output(std::string id, OutputQuery query, OutputSink& sink) = 0;

    // Takes about two seconds: a use of the processor is one of a time. Absent: it does not run.
    virtual Task<std::optional<Usage>> usage(std::string id) = 0;
    // What it has used since its start, at once: one look, without a time to divide by. Absent: it does not
    // run.
    virtual Task<std::optional<model::UseCounters>> counters(std::string id) = 0;
    // About once a second, until the instance ends.
    virtual Task<> follow_usage(std::string id, UsageSink& sink) = 0;
};

}  // namespace agentdb9::runtime
