#include "proxy/token_cache.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "base/crypto.hpp"

namespace agentdb9::proxy {
namespace {

// More than could come while one question to the control plane is open. Older ones count as covering
// everybody.
constexpr std::size_t kRemembered = 1024;

std::uint64_t random_seed() {
    std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
    base::random_bytes(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
}

// Takes the next eight bytes off `text`; of fewer, with zeros behind them. Not when empty.
std::uint64_t take_word(std::string_view& text) {
    std::uint64_t word = 0;
    if (text.size() >= sizeof word) {
        std::memcpy(&word, text.data(), sizeof word);
        text.remove_prefix(sizeof word);
    } else {
        std::memcpy(&word, text.data(), text.size());
        text = {};
    }
    return word;
}

// Takes the same time wherever the two differ.
bool is_same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    std::uint64_t difference = 0;
    while (!a.empty())
        difference |= take_word(a) ^ take_word(b);
    return difference == 0;
}

}  // namespace

TokenCache::TokenCache(std::size_t slots) : slots_(std::bit_ceil(slots)), seed_(random_seed()) {}

// Only picks the slot; what is in it is compared as a whole. Eight bytes at a time, from a random start, each
// step the finalizer of MurmurHash3.
std::size_t TokenCache::slot_of(std::string_view text) const {
    std::uint64_t hash = seed_ ^ text.size();
    const auto mix = [&](std::uint64_t word) {
        hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
        hash ^= hash >> 32;
    };
    while (!text.empty())
        mix(take_word(text));
    hash *= 0xc4ceb9fe1a85ec53ULL;
    return (hash ^ (hash >> 33)) & (slots_.size() - 1);
}

PrincipalPtr TokenCache::find(auth::Credential::Kind kind, std::string_view text, base::Time now) const {
    const Slot& slot = slots_[slot_of(text)];
    if (!slot.principal || slot.credential.kind != kind) return nullptr;
    if (slot.principal->expires_at <= now) return nullptr;
    if (!is_same(slot.credential.text, text)) return nullptr;
    return slot.principal;
}

void TokenCache::put(auth::Credential credential, PrincipalPtr principal) {
    Slot& slot = slots_[slot_of(credential.text)];
    slot.credential = std::move(credential);
    slot.principal = std::move(principal);
}

void TokenCache::revoke(const auth::Revocation& revocation) {
    for (Slot& slot : slots_)
        if (slot.principal && revocation.covers(*slot.principal)) slot = {};
    ++epoch_;
    recent_.push_back(revocation);
    if (recent_.size() > kRemembered) recent_.pop_front();
}

bool TokenCache::revoked_since(std::uint64_t epoch, const auth::Principal& principal) const {
    auto count = epoch_ - epoch;
    if (count > recent_.size()) return true;
    for (auto it = recent_.end() - static_cast<std::ptrdiff_t>(count); it != recent_.end(); ++it)
        if (it->covers(principal)) return true;
    return false;
}

std::size_t TokenCache::size() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(slots_, [](const Slot& slot) { return slot.principal != nullptr; }));
}

}  // namespace agentdb9::proxy
