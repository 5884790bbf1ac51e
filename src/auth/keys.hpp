// The keys of one installation, all made from one secret, each good for one purpose only. Values; any thread.
#pragma once

#include <string>
#include <string_view>

namespace agentdb9::auth {

struct Keys {
    std::string access_tokens;  // the secret itself: other programs of an installation verify with it
    std::string refresh_tokens;
    std::string application_cookies;

    // Throws Error{kInvalid, "jwt_secret_too_short"} for fewer than 32 bytes.
    static Keys from_secret(std::string_view secret);
};

}  // namespace agentdb9::auth
