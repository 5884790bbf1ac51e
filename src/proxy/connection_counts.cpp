#include "proxy/connection_counts.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "base/crypto.hpp"

namespace agentdb9::proxy {
namespace {

// In Key::high, where a /64 of the internet cannot be: what follows is an IPv4 address.
constexpr std::uint64_t kIpv4 = 0xffff;

std::uint64_t random_seed() {
    std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
    base::random_bytes(bytes);
    std::uint64_t seed = 0;
    std::memcpy(&seed, bytes.data(), sizeof seed);
    return seed;
}

// The finalizer of SplitMix64: every bit of the result depends on every bit of `x`.
std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31U);
}

}  // namespace

std::size_t ConnectionCounts::Hash::operator()(const Key& key) const {
    // Seeded: who may choose among many addresses must not be able to put them all in one bucket.
    static const std::uint64_t seed = random_seed();
    return mixed(mixed(key.high ^ seed) + key.low);
}

std::optional<ConnectionCounts::Share> ConnectionCounts::take(const Key& key, std::size_t limit) {
    if (limit == 0) return std::nullopt;
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    auto& count = shard.counts[key];
    if (count >= limit) return std::nullopt;
    ++count;
    return Share(*this, key);
}

void ConnectionCounts::give_back(const Key& key) {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.counts.find(key);
    if (found != shard.counts.end() && --found->second == 0) shard.counts.erase(found);
}

std::size_t ConnectionCounts::count(const Key& key) const {
    const auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.counts.find(key);
    return found == shard.counts.end() ? 0 : found->second;
}

std::size_t ConnectionCounts::size() const {
    std::size_t all = 0;
    for (const auto& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        all += shard.counts.size();
    }
    return all;
}

std::optional<ConnectionCounts::Key> connection_key(std::string_view address) {
    const std::string text(address.substr(0, address.find('%')));
    in_addr four{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return ConnectionCounts::Key{kIpv4, four.s_addr};
    in6_addr six{};
    if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return std::nullopt;
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        in_addr_t mapped = 0;
        std::memcpy(&mapped, &six.s6_addr[12], sizeof mapped);
        return ConnectionCounts::Key{kIpv4, mapped};
    }
    std::uint64_t network = 0;
    std::memcpy(&network, six.s6_addr, sizeof network);
    return ConnectionCounts::Key{0, be64toh(network)};
}

ConnectionCounts::Key connection_key(const base::UserId& user) {
    ConnectionCounts::Key key;
    std::size_t digits = 0;
    for (const char c : user.view()) {
        if (c == '-') continue;
        auto& half = digits++ < 16 ? key.high : key.low;
        half = half << 4U | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return key;
}

}  // namespace agentdb9::proxy
