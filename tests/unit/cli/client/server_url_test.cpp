#include "cli/client/server_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace agentdb9::cli::client {
namespace {

TEST(ServerUrl, IsHttpsUnlessItIsThisMachineOrSaysOtherwise) {
    EXPECT_EQ(server_url("work.example.org"), "https://work.example.org");
    EXPECT_EQ(server_url("work.example.org:8443"), "https://work.example.org:8443");
    EXPECT_EQ(server_url("localhost:8000"), "http://localhost:8000");
    EXPECT_EQ(server_url("127.0.0.1:8000"), "http://127.0.0.1:8000");
    EXPECT_EQ(server_url("[::1]:8000"), "http://[::1]:8000");
    EXPECT_EQ(server_url("http://work.example.org"), "http://work.example.org");
    EXPECT_EQ(server_url("https://localhost"), "https://localhost");
}

TEST(ServerUrl, OfOneServerIsOneText) {
    for (const auto* each :
         {"HTTPS://Work.Example.org", "https://work.example.org/", "https://work.example.org:443//"})
        EXPECT_EQ(server_url(each), "https://work.example.org") << each;
    EXPECT_EQ(server_url("http://127.0.0.1:80/"), "http://127.0.0.1");
    EXPECT_EQ(server_url("https://example.org/work/"), "https://example.org/work");
}

TEST(ServerUrl, ThatIsNoneIsRefusedWithoutRepeatingIt) {
    for (const auto* each :
         {"", "https://", "ftp://work.example.org", "file:///etc/passwd",
          "https://ada:secret@work.example.org", "https://work.example.org?token=secret",
          "https://work.example.org#secret", "https://work.example.org:0", "https://work.example.org:99999",
          "https://work example.org", "https://work.example.org\n", "https://a\x01"}) {
        try {
            server_url(each);
            ADD_FAILURE() << each << " was taken";
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::kInvalid);
            EXPECT_THAT(error.message(), testing::Not(testing::HasSubstr("secret")));
        }
    }
}

TEST(ServerUrl, TellsWhatCouldBeReadOnTheWay) {
    EXPECT_TRUE(is_plain_and_remote("http://work.example.org"));
    EXPECT_TRUE(is_plain_and_remote("http://127.0.0.1.example.org"));
    EXPECT_TRUE(is_plain_and_remote("http://localhost.example.org:8000"));
    for (const auto* each : {"https://work.example.org", "http://127.0.0.1:8000", "http://127.8.9.10",
                             "http://[::1]:8000", "http://localhost:8000"})
        EXPECT_FALSE(is_plain_and_remote(each)) << each;
}

}  // namespace
}  // namespace agentdb9::cli::client
