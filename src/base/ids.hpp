// Ids of the domain. Each is a type of its own around a UUID (RFC 9562) in lower-case text form, so that a
// project's id cannot be handed where a workspace's belongs. Values; safe on any thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace agentdb9::base {

inline constexpr std::size_t kUuidLength = 36;
using UuidText = std::array<char, kUuidLength>;

// A random (version 4) UUID from the system's random source. Ends the process if that source fails.
UuidText make_uuid();

// The lower-case form of `text`, or nothing when it is not `8-4-4-4-12` hexadecimal digits.
std::optional<UuidText> parse_uuid(std::string_view text);

template <class Tag>
class Id {
  public:
    // Makes a new, random id.
    static Id generate() { return Id(make_uuid()); }
    // Absent when `text` is not a UUID.
    static std::optional<Id> parse(std::string_view text) {
        auto uuid = parse_uuid(text);
        if (!uuid) return std::nullopt;
        return Id(*uuid);
    }

    std::string_view view() const { return {text_.data(), text_.size()}; }
    std::string str() const { return std::string(view()); }

    friend auto operator<=>(const Id&, const Id&) = default;

  private:
    explicit Id(const UuidText& text) : text_(text) {}
    UuidText text_;
};

using UserId = Id<struct UserTag>;
using ProjectId = Id<struct ProjectTag>;
using WorkspaceId = Id<struct WorkspaceTag>;
using OperationId = Id<struct OperationTag>;
using SessionId = Id<struct SessionTag>;
using ApiTokenId = Id<struct ApiTokenTag>;
using TombstoneId = Id<struct TombstoneTag>;
using BackupId = Id<struct BackupTag>;
using ShareId = Id<struct ShareTag>;
using AuditId = Id<struct AuditTag>;
using InstallationId = Id<struct InstallationTag>;

}  // namespace agentdb9::base

template <class Tag>
struct std::hash<agentdb9::base::Id<Tag>> {
    std::size_t operator()(const agentdb9::base::Id<Tag>& id) const noexcept {
        return std::hash<std::string_view>()(id.view());
    }
};
