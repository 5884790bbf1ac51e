// Why a credential is refused. A value, because on the data plane a refusal is an expected outcome.
#pragma once

namespace agentdb9::auth {

enum class Failure {
    kMalformed,    // not a credential of ours, or its signature is wrong
    kExpired,      // was good once
    kRevoked,      // its session, token or user is gone
    kUnavailable,  // cannot be told now: the store does not answer
};

}  // namespace agentdb9::auth
