// One connection's TLS, server's side, over a non-blocking socket that it does not own. It never waits: it
// says what is to be waited for. One thread. Inside of http/ only; Stream is how others see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "http/tls.hpp"

struct ssl_st;
struct bio_st;

namespace agentdb9::http {

class TlsSession {
  public:
    enum class Outcome : std::uint8_t {
        kDone,
        kWaits,   // for an event; on_events() tells when that was the one
        kEnd,     // the other side said that nothing more follows
        kBroken,  // not TLS, or cut without a word
    };

    TlsSession(const TlsContext& context, int descriptor);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    // What the socket's events allow, which may be the other direction's: TLS has messages of its own.
    struct Allows {
        bool receiving = false;
        bool sending = false;
    };
    Allows on_events(bool in, bool out, bool hung_up);

    Outcome handshake();
    // Fills `into` as far as it can, and counts. kDone: full, and there may be more.
    Outcome recv(std::span<char> into, std::size_t& count);
    // Takes what was sent off `parts`, and counts. After kWaits the next call brings the same bytes again,
    // and may bring more behind them: some of them are on their way.
    Outcome send(std::span<std::string_view> parts, std::size_t& count);
    // Says that nothing more follows. kDone also where it cannot be said (any more).
    Outcome say_goodbye();
    bool goodbye_waits() const { return goodbye_waits_; }
    // Not: the other side is to notice that something is missing.
    void say_goodbye_at_end(bool says) { mute_ = !says; }
    // Bytes that came and were not asked for yet.
    bool holds_bytes() const;

  private:
    friend struct SocketBio;
    enum class Waits : std::uint8_t { kNothing, kIn, kOut };

    // Of a call that did not succeed.
    Outcome outcome(int returned, Waits& waits);
    class Gathered;
    // To the socket; how many of them. 0: it takes none now. Negative: it is broken.
    std::ptrdiff_t put(const char* bytes, std::size_t size);
    // The backlog. kDone: there is none any more.
    Outcome flush();
    Outcome wait_or_break(Outcome why);
    static std::string_view next_record(std::span<const std::string_view> parts, std::size_t skip,
                                        std::span<char> room);

    ssl_st* session_;
    int descriptor_;
    // As far as is known; calls that find out otherwise say so.
    bool in_ = true;
    bool out_ = true;
    bool hung_up_ = false;
    bool eof_ = false;
    bool broken_ = false;
    bool mute_ = false;
    bool goodbye_said_ = false;
    bool goodbye_waits_ = false;
    Waits receiving_ = Waits::kNothing;
    Waits sending_ = Waits::kNothing;
    Gathered* gathered_ = nullptr;  // where records go that send() makes
    std::vector<char> backlog_;     // of records, what the socket did not take
    std::size_t owed_ = 0;          // what was sent with the backlog, in plain bytes
};

}  // namespace agentdb9::http
