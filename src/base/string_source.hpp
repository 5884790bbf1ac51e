// A stream that is a string. Control executor.
#pragma once

#include <algorithm>
#include <string>

#include "base/bytes.hpp"

namespace agentdb9::base {

class StringSource final : public ByteSource {
  public:
    explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
    Task<std::size_t> read(std::span<char> room) override {
        const auto amount = bytes_.copy(room.data(), room.size(), at_);
        at_ += amount;
        co_return amount;
    }

  private:
    std::string bytes_;
    std::size_t at_ = 0;
};

}  // namespace agentdb9::base
