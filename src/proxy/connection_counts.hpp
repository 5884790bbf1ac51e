// How many connections each address, or each user, has. Exact: a key is compared whole, so that nobody is
// refused for another's connections. Any thread; a short lock on one of several shards, taken when a
// connection opens, closes or first says whose it is, never for each request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/ids.hpp"

namespace agentdb9::proxy {

class ConnectionCounts {
  public:
    struct Key {
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };

    // One connection's place in the count, given back when it dies. Does not outlive the counts.
    class Share {
      public:
        Share() = default;
        Share(Share&& other) noexcept : counts_(std::exchange(other.counts_, nullptr)), key_(other.key_) {}
        Share& operator=(Share&& other) noexcept {
            std::swap(counts_, other.counts_);
            std::swap(key_, other.key_);
            return *this;
        }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share() {
            if (counts_) counts_->give_back(key_);
        }

      private:
        friend class ConnectionCounts;
        Share(ConnectionCounts& counts, const Key& key) : counts_(&counts), key_(key) {}
        ConnectionCounts* counts_ = nullptr;
        Key key_;
    };

    ConnectionCounts() = default;
    ConnectionCounts(const ConnectionCounts&) = delete;
    ConnectionCounts& operator=(const ConnectionCounts&) = delete;

    // Absent when `key` has `limit` connections already.
    std::optional<Share> take(const Key& key, std::size_t limit);
    std::size_t count(const Key& key) const;
    // How many keys have any.
    std::size_t size() const;

  private:
    static constexpr std::size_t kShards = 32;
    struct Hash {
        std::size_t operator()(const Key& key) const;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<Key, std::size_t, Hash> counts;
    };
    Shard& shard_of(const Key& key) { return shards_[Hash()(key) >> 59U]; }
    const Shard& shard_of(const Key& key) const { return shards_[Hash()(key) >> 59U]; }
    void give_back(const Key& key);

    std::array<Shard, kShards> shards_;
};

// Of an IPv6 address its /64: one host has all of these to choose from (RFC 4291 section 2.5.1). Absent for
// what is no address, as of a unix socket.
std::optional<ConnectionCounts::Key> connection_key(std::string_view address);
ConnectionCounts::Key connection_key(const base::UserId& user);

}  // namespace agentdb9::proxy
