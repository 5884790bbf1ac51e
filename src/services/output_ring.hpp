// The last bytes of a stream, each under its number since the stream's beginning. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace agentdb9::services {

class OutputRing {
  public:
    explicit OutputRing(std::size_t capacity) : capacity_(capacity) {}

    // The oldest go where there is no room for all.
    void append(std::string_view bytes);
    // Those that are there: from begin() to before end().
    std::uint64_t begin() const { return end_ - size_; }
    std::uint64_t end() const { return end_; }
    std::size_t capacity() const { return capacity_; }
    // From `from`, which is there or end(); `most` at most.
    std::string read(std::uint64_t from, std::size_t most) const;

  private:
    std::size_t place_of(std::uint64_t number) const { return static_cast<std::size_t>(number % capacity_); }

    std::size_t capacity_;
    std::size_t size_ = 0;
    std::uint64_t end_ = 0;
    std::string bytes_;  // grows to capacity_ with what comes
};

}  // namespace agentdb9::services
