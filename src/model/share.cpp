#include "model/share.hpp"

#include "base/crypto.hpp"

namespace agentdb9::model {
namespace {

bool admits(const Sharing& sharing, const Visitor& visitor) {
    switch (sharing.share.level) {
        case ShareLevel::kUsers:
            return visitor.signed_in;
        case ShareLevel::kPublic:
            return true;
        case ShareLevel::kLink:
            // One without a secret opens to nobody.
            return !sharing.link.empty() && base::equal_constant_time(sharing.link, visitor.link);
    }
    return false;
}

}  // namespace

bool has_expired(const Share& share, Time now) {
    return share.expires_at && *share.expires_at <= now;
}

const Sharing* sharing_for(std::span<const Sharing> sharings, int port, const Visitor& visitor, Time now) {
    for (const auto& sharing : sharings)
        if (sharing.share.port == port && !has_expired(sharing.share, now) && admits(sharing, visitor))
            return &sharing;
    return nullptr;
}

std::string_view to_text(ShareLevel value) {
    switch (value) {
        case ShareLevel::kUsers:
            return "users";
        case ShareLevel::kPublic:
            return "public";
        case ShareLevel::kLink:
            return "link";
    }
    return {};
}

template <>
std::optional<ShareLevel> enum_from_text(std::string_view text) {
    for (auto level : {ShareLevel::kUsers, ShareLevel::kPublic, ShareLevel::kLink})
        if (text == to_text(level)) return level;
    return std::nullopt;
}

}  // namespace agentdb9::model
