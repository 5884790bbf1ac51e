// Texts that were looked at before and are not what they might be: foreign tokens, cookies that are over. A
// bounded set, as anybody may send as many as they like, each as long as a head: when it is full it begins
// anew. The worker's thread only.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>

namespace agentdb9::proxy {

class RememberedTexts {
  public:
    static constexpr std::size_t kMaxTexts = 10'000;
    static constexpr std::size_t kMaxBytes = 4UL * 1024 * 1024;

    bool contains(const std::string& text) const { return texts_.contains(text); }

    void add(std::string text) {
        if (texts_.size() >= kMaxTexts || bytes_ + text.size() > kMaxBytes) clear();
        const auto size = text.size();
        if (texts_.insert(std::move(text)).second) bytes_ += size;
    }

    void clear() {
        texts_.clear();
        bytes_ = 0;
    }

    std::size_t size() const { return texts_.size(); }
    std::size_t bytes() const { return bytes_; }

  private:
    std::unordered_set<std::string> texts_;
    std::size_t bytes_ = 0;
};

}  // namespace agentdb9::proxy
