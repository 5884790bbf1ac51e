// While it lives, no signal that somebody sends ends or stops this thread's work; what came then is heard
// afterwards. A thread that is begun meanwhile never hears any, so that they wait for those that do.
#pragma once

#include <csignal>

namespace agentdb9::cli::client {

class SignalsHeld {
  public:
    SignalsHeld() {
        sigset_t held;
        sigemptyset(&held);
        for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
            sigaddset(&held, each);
        ::pthread_sigmask(SIG_BLOCK, &held, &before_);
    }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

}  // namespace agentdb9::cli::client
