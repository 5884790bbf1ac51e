// How much memory the bodies of requests for the API have together, at one worker: those that are larger than
// a head, so that small calls go on whatever others send. The worker's thread only.
#pragma once

#include <cstddef>

namespace agentdb9::proxy {

class LargeBodies {
  public:
    // One body's part, given back when it dies. Refers to the whole, which outlives it.
    class Share {
      public:
        explicit Share(LargeBodies& all) : all_(all) {}
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() { all_.held_ -= bytes_; }

        // False, and nothing has changed, where the whole would be over `limit`.
        bool grow_to(std::size_t bytes, std::size_t limit) {
            if (bytes <= bytes_) return true;
            const auto more = bytes - bytes_;
            if (all_.held_ + more > limit) return false;
            all_.held_ += more;
            bytes_ = bytes;
            return true;
        }

      private:
        LargeBodies& all_;
        std::size_t bytes_ = 0;
    };

    std::size_t held() const { return held_; }

  private:
    std::size_t held_ = 0;
};

}  // namespace agentdb9::proxy
