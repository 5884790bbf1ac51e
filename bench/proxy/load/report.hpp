// What a run of load has seen, told as one line of JSON on standard output. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "socket.hpp"

namespace agentdb9::bench {

class Report {
  public:
    void done(std::uint64_t bytes) {
        ++done_;
        bytes_ += bytes;
    }
    // The time counts from here instead of from the beginning.
    void begin() { began_ = Clock::now(); }
    void took(Clock::duration time) { times_.push_back(time); }
    // Whatever was not as it has to be. One of them makes the run worthless.
    void error(const std::string& what) { ++errors_[what]; }
    void number(const std::string& name, double value) { numbers_[name] = value; }
    std::uint64_t count() const { return done_; }
    std::uint64_t error_count() const;
    // {"done":…,"bytes":…,"seconds":…,"errors":{…}} with p50, p99 and max in microseconds where times were
    // taken.
    void print();

  private:
    Clock::time_point began_ = Clock::now();
    std::uint64_t done_ = 0;
    std::uint64_t bytes_ = 0;
    std::vector<Clock::duration> times_;
    std::map<std::string, std::uint64_t> errors_;
    std::map<std::string, double> numbers_;
};

// Where so many went wrong, going on tells nothing.
inline constexpr std::uint64_t kMaxErrors = 1000;

}  // namespace agentdb9::bench
