#include "services/password_hasher.hpp"

#include "base/error.hpp"

namespace agentdb9::services {
namespace {

constexpr std::size_t kMaxInFlight = 64;

class Place {
  public:
    explicit Place(std::size_t& count) : count_(count) {
        if (count_ >= kMaxInFlight) {
            throw base::Error(base::ErrorCode::kUnavailable, "busy",
                              "Too many people are logging in right now: try again in a moment.")
                .with_retry_after(1);
        }
        ++count_;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { --count_; }

  private:
    std::size_t& count_;
};

}  // namespace

Task<std::string> PasswordHasher::hash(std::string password) {
    const Place place(in_flight_);
    co_return co_await pool_.run(
        [password = std::move(password), cost = cost_] { return auth::hash_password(password, cost); });
}

Task<bool> PasswordHasher::verify(std::string password, std::string hash) {
    const Place place(in_flight_);
    co_return co_await pool_.run([password = std::move(password), hash = std::move(hash)] {
        return auth::verify_password(password, hash);
    });
}

}  // namespace agentdb9::services
