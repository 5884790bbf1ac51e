// Which coding of a body a client takes. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace agentdb9::api {

enum class ContentCoding { kBrotli, kGzip, kIdentity };

// The best that `accept_encoding` allows (RFC 9110 section 12.5.3): the highest weight, of equal ones the
// smallest body; a coding counts only where the caller `has` it. Identity where nothing is said, or where
// all else is refused: a client that refuses that too gets it all the same, as the section allows.
struct CodingsThere {
    bool brotli = false;
    bool gzip = false;
};
ContentCoding best_coding(std::optional<std::string_view> accept_encoding, CodingsThere there);

// As it is written in Content-Encoding; empty for identity.
std::string_view coding_name(ContentCoding coding);

}  // namespace agentdb9::api
