// Reads a log again from a little before where it broke off, and gives each line once. Lines of one moment
// may stand in the log in either order, and two may have the same time: a line is known by its time and its
// text together. One instance's; memory is bounded. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

namespace agentdb9::services {

class LogSeam {
  public:
    explicit LogSeam(std::size_t remembered = 8192) : remembered_(remembered) {}

    // The next line, read from since() on or, at first, from anywhere; `tag` is of its text. False: it was
    // given before.
    bool admit(std::int64_t at_ns, std::uint32_t tag);
    // From when on to read again; absent: nothing was read yet.
    std::optional<std::int64_t> since() const;
    // Was that line given, or is it from before what is remembered?
    bool told(std::int64_t at_ns, std::uint32_t tag) const;
    // The latest time that was given.
    std::int64_t last() const { return last_; }

  private:
    std::size_t remembered_;
    std::int64_t first_ = 0;  // the earliest time of which all is remembered
    std::int64_t last_ = 0;
    std::set<std::pair<std::int64_t, std::uint32_t>> given_;
};

}  // namespace agentdb9::services
