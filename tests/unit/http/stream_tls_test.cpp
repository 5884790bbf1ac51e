#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>

#include "tls_peer.hpp"

namespace agentdb9::http {
namespace {

using test::ClientEnd;
using test::TlsClient;
using test::TlsPair;
using namespace std::chrono_literals;

constexpr std::size_t kLarge = 6UL << 20;

// No two places of it look alike to an off-by-one.
std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    std::uint32_t state = 12345;
    for (auto& c : text) {
        state = state * 1664525U + 1013904223U;
        c = static_cast<char>(state >> 24);
    }
    return text;
}

Task<std::string> receive(Stream& stream, std::size_t size) {
    Reader reader(stream);
    std::string all;
    while (all.size() < size) {
        if (!co_await reader.fill(kNever)) break;
        all += reader.data();
        reader.consume(reader.data().size());
    }
    co_return all;
}

// All in pieces of the form in which heads and bodies go.
Task<IoResult<>> send_pieces(Stream& stream, std::string bytes) {
    std::string_view rest(bytes);
    while (!rest.empty()) {
        std::array<std::string_view, 4> parts;
        for (const std::size_t size : {137UL, 1UL, 50'000UL, 2UL}) {
            auto& part = parts[size == 137 ? 0 : size == 1 ? 1 : size == 50'000 ? 2 : 3];
            part = rest.substr(0, size);
            rest.remove_prefix(part.size());
        }
        if (auto sent = co_await stream.send(parts); !sent) co_return sent;
    }
    co_return IoResult<>();
}

TEST(StreamTls, CarriesBytesBothWays) {
    TlsPair pair;
    std::string heard, protocol;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        protocol = client.protocol();
        client.send("question");
        heard = client.receive(6);
    });
    ASSERT_TRUE(pair.start_tls());
    EXPECT_TRUE(pair.stream->is_secure());
    EXPECT_EQ(pair.run(receive(*pair.stream, 8)), "question");
    EXPECT_TRUE(pair.run(pair.stream->send("answer")));
    pair.finish();
    EXPECT_EQ(heard, "answer");
    EXPECT_EQ(protocol, "http/1.1");
    EXPECT_EQ(pair.stream->bytes_received(), 8U);
    EXPECT_EQ(pair.stream->bytes_sent(), 6U);
}

TEST(StreamTls, ManyBytesBothWaysAtOnce) {
    for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsPair pair;
        const auto there = pattern(kLarge);
        const auto back = pattern(kLarge / 2);
        std::string heard;
        pair.client(
            [&](TlsClient& client) {
                ASSERT_TRUE(client.connect());
                heard = client.exchange(there, back.size());
            },
            newest);
        ASSERT_TRUE(pair.start_tls());
        bool sent = false;
        asio::co_spawn(pair.io, send_pieces(*pair.stream, back),
                       [&](std::exception_ptr, IoResult<> result) { sent = result.has_value(); });
        EXPECT_TRUE(pair.run(receive(*pair.stream, there.size())) == there);
        pair.finish();
        if (!sent) {
            pair.io.restart();
            pair.io.poll();
        }
        EXPECT_TRUE(sent);
        EXPECT_TRUE(heard == back);
    }
}

TEST(StreamTls, ASlowReaderGetsAllInOrder) {
    TlsPair pair;
    const int small = 4096;
    ::setsockopt(pair.other, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    const auto bytes = pattern(kLarge / 4);
    std::string heard;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        heard = client.receive(bytes.size(), 777);
    });
    ASSERT_TRUE(pair.start_tls());
    EXPECT_TRUE(pair.run(send_pieces(*pair.stream, bytes)));
    pair.finish();
    EXPECT_TRUE(heard == bytes);
}

// A record that OpenSSL has opened is nothing that the socket tells of again.
TEST(StreamTls, WhatIsHeldInsideIsGivenWithoutAnotherEvent) {
    TlsPair pair;
    const auto bytes = pattern(16'000);
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        client.send(bytes);
    });
    ASSERT_TRUE(pair.start_tls());
    pair.finish();
    std::string all;
    std::array<char, 100> into{};
    while (all.size() < bytes.size()) {
        ASSERT_TRUE(pair.run(pair.stream->wait_readable(kNever)));
        while (true) {
            const auto got = pair.stream->try_recv(into);
            ASSERT_TRUE(got);
            if (*got == 0) break;
            all.append(into.data(), *got);
            if (all.size() < bytes.size()) {
                EXPECT_FALSE(pair.stream->is_quiet(true));
            }
        }
    }
    EXPECT_TRUE(all == bytes);
    EXPECT_EQ(pair.stream->try_recv(into), 0U);
    EXPECT_TRUE(pair.stream->is_quiet(true));
}

// Each byte of the handshake and of the records is an event of its own.
TEST(StreamTls, RecordsMayComeByteByByte) {
    TlsPair pair;
    const auto bytes = pattern(3000);
    int between[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, between), 0);
    std::thread forwards([&] {
        char byte = 0;
        while (::recv(between[1], &byte, 1, 0) == 1) {
            if (::send(pair.other, &byte, 1, MSG_NOSIGNAL) != 1) break;
            std::this_thread::yield();
        }
    });
    std::thread back([&] {
        char byte = 0;
        while (::recv(pair.other, &byte, 1, 0) == 1)
            if (::send(between[1], &byte, 1, MSG_NOSIGNAL) != 1) break;
        ::shutdown(between[1], SHUT_WR);
    });
    std::string heard;
    std::thread client([&] {
        TlsClient tls(between[0]);
        ASSERT_TRUE(tls.connect());
        tls.send(bytes);
        heard = tls.receive(bytes.size());
    });
    EXPECT_TRUE(pair.start_tls());
    EXPECT_TRUE(pair.run(receive(*pair.stream, bytes.size())) == bytes);
    EXPECT_TRUE(pair.run(pair.stream->send(bytes)));
    client.join();
    pair.stream->close();
    ::shutdown(between[0], SHUT_RDWR);
    back.join();
    forwards.join();
    ::close(between[0]);
    ::close(between[1]);
    EXPECT_TRUE(heard == bytes);
}

TEST(StreamTls, ACloseNotifyIsTheEndAndTheOtherHalfGoesOn) {
    TlsPair pair;
    std::string heard;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        client.send("all");
        client.close_notify();
        heard = client.receive(4);
    });
    ASSERT_TRUE(pair.start_tls());
    EXPECT_EQ(pair.run(receive(*pair.stream, 100)), "all");
    std::array<char, 8> into{};
    EXPECT_EQ(pair.stream->try_recv(into).error(), IoError::kEnd);
    EXPECT_TRUE(pair.run(pair.stream->send("late")));
    pair.finish();
    EXPECT_EQ(heard, "late");
}

TEST(StreamTls, AConnectionThatIsCutIsNoEnd) {
    TlsPair pair;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        client.send("half");
    });
    ASSERT_TRUE(pair.start_tls());
    pair.finish();
    pair.close_other();
    EXPECT_EQ(pair.run(receive(*pair.stream, 100)), "half");
    std::array<char, 8> into{};
    EXPECT_EQ(pair.stream->try_recv(into).error(), IoError::kReset);
}

TEST(StreamTls, ShuttingDownSaysSoAndReceivingGoesOn) {
    TlsPair pair;
    auto end = ClientEnd::kData;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        end = client.end_of_reading();
        client.send("still here");
    });
    ASSERT_TRUE(pair.start_tls());
    pair.stream->shutdown_send();
    EXPECT_EQ(pair.run(receive(*pair.stream, 10)), "still here");
    pair.finish();
    EXPECT_EQ(end, ClientEnd::kCloseNotify);
}

// Where the socket has no room for it, the close_notify follows when there is some.
TEST(StreamTls, TheGoodbyeWaitsForASlowReader) {
    for (const bool half : {false, true}) {
        TlsPair pair;
        std::atomic<bool> go{false};
        std::string heard;
        auto end = ClientEnd::kData;
        const auto bytes = pattern(50'000);
        pair.client([&](TlsClient& client) {
            ASSERT_TRUE(client.connect());
            go.wait(false);
            heard = client.receive(bytes.size());
            end = client.end_of_reading();
            if (half) client.send("thanks");
        });
        ASSERT_TRUE(pair.start_tls());
        std::string_view rest(bytes);
        ASSERT_TRUE(pair.stream->try_send({&rest, 1}));
        ASSERT_TRUE(rest.empty());
        // What is on its way is more than that.
        const int least = 1;
        ASSERT_EQ(::setsockopt(pair.own, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
        if (half) pair.stream->shutdown_send();
        asio::post(pair.io, [&] {
            go = true;
            go.notify_all();
        });
        if (half) {
            EXPECT_EQ(pair.run(receive(*pair.stream, 6)), "thanks");
        } else {
            EXPECT_TRUE(pair.run(pair.stream->finish()));
            pair.stream->close();
        }
        pair.finish();
        EXPECT_EQ(end, ClientEnd::kCloseNotify);
        EXPECT_TRUE(heard == bytes);
    }
}

TEST(StreamTls, WhatIsCutByUsDoesNotLookLikeAnEnd) {
    TlsPair pair;
    auto end = ClientEnd::kData;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        client.receive(4);
        end = client.end_of_reading();
    });
    ASSERT_TRUE(pair.start_tls());
    EXPECT_TRUE(pair.run(pair.stream->send("half")));
    pair.stream->reset_at_close();
    EXPECT_TRUE(pair.run(pair.stream->finish()));
    pair.stream->close();
    pair.finish();
    EXPECT_EQ(end, ClientEnd::kCut);
}

// RFC 8446 section 4.6.3: the answer to it goes out with the next bytes.
TEST(StreamTls, AChangeOfKeysInTheMiddleIsNotNoticed) {
    TlsPair pair;
    std::string heard;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        client.send("one");
        ASSERT_EQ(SSL_key_update(client.native(), SSL_KEY_UPDATE_REQUESTED), 1);
        client.send("two");
        heard = client.receive(6);
    });
    ASSERT_TRUE(pair.start_tls());
    EXPECT_EQ(pair.run(receive(*pair.stream, 6)), "onetwo");
    EXPECT_TRUE(pair.run(pair.stream->send("answer")));
    pair.finish();
    EXPECT_EQ(heard, "answer");
}

TEST(StreamTls, OldProtocolsAndNewHandshakesAreRefused) {
    {
        TlsPair pair;
        bool connected = true;
        pair.client([&](TlsClient& client) { connected = client.connect(); }, TLS1_1_VERSION);
        EXPECT_EQ(pair.start_tls().error(), IoError::kReset);
        pair.finish();
        EXPECT_FALSE(connected);
    }
    TlsPair pair;
    bool renegotiated = true;
    pair.client(
        [&](TlsClient& client) {
            ASSERT_TRUE(client.connect());
            SSL_renegotiate(client.native());
            renegotiated = SSL_do_handshake(client.native()) == 1;
            ::shutdown(SSL_get_fd(client.native()), SHUT_RDWR);
        },
        TLS1_2_VERSION);
    ASSERT_TRUE(pair.start_tls());
    // Until the client ends it: what it hears of its wish is no end of ours.
    EXPECT_EQ(pair.run(receive(*pair.stream, 1)), "");
    pair.finish();
    EXPECT_FALSE(renegotiated);
}

TEST(StreamTls, WhatIsNotTlsIsSeenBeforeAndRefused) {
    TlsPair pair;
    EXPECT_EQ(pair.stream->try_peek(), std::nullopt);
    pair.write("GET / HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(pair.run(pair.stream->wait_readable(kNever)));
    const auto first = pair.stream->try_peek();
    ASSERT_TRUE(first && *first);
    EXPECT_EQ(**first, 'G');
    EXPECT_FALSE(begins_tls(**first));
    EXPECT_EQ(pair.start_tls().error(), IoError::kReset);
}

TEST(StreamTls, AHandshakeHasADeadline) {
    TlsPair pair;
    pair.write("\x16\x03\x01");
    EXPECT_EQ(pair.run(pair.stream->start_tls(pair.context, pair.loop.now())).error(), IoError::kTimeout);
    TlsPair gone;
    gone.close_other();
    EXPECT_EQ(gone.start_tls().error(), IoError::kReset);
}

TEST(StreamTls, NothingPassesByThePipe) {
    TlsPair pair;
    pair.client([&](TlsClient& client) {
        ASSERT_TRUE(client.connect());
        client.send("x");
    });
    ASSERT_TRUE(pair.start_tls());
    auto pipe = pair.loop.take_pipe();
    ASSERT_TRUE(pipe);
    EXPECT_FALSE(pair.stream->try_recv_into(*pipe, 1));
    EXPECT_FALSE(pair.stream->try_send_from(*pipe, 1, false));
    EXPECT_EQ(pair.run(receive(*pair.stream, 1)), "x");
}

}  // namespace
}  // namespace agentdb9::http
