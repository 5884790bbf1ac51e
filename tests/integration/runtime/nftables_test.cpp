// The packet filter is asked by a process with more descriptors than select(2) can take, as a server with
// many connections is. In a network of the test's own.
#include "runtime/docker/nftables.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <thread>
#include <vector>

#include "base/descriptor.hpp"

namespace agentdb9::runtime::docker {
namespace {

// The rules as a server sets them, and what it looks at.
void ask_with_many_open() {
    open_nft();
    std::vector<base::Descriptor> many;
    while (many.size() < 1200) {
        many.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (!many.back())
            GTEST_SKIP() << "this machine allows no more than " << many.size() << " descriptors";
    }
    const auto first = run_nft("add table inet one; add table inet two");
    if (!first) {
        // Is that the machine's, or what this is about?
        many.clear();
        ASSERT_FALSE(run_nft("list tables inet")) << "with many open it says: " << first.error();
        GTEST_SKIP() << "the packet filter cannot be used here: " << first.error();
    }
    EXPECT_EQ(run_nft("list tables inet").value_or("?"), "table inet one\ntable inet two");
    const auto wrong = run_nft("delete table inet three");
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error(), "");
    EXPECT_EQ(run_nft("delete table inet one").value_or("?"), "");
    EXPECT_EQ(run_nft("list tables inet").value_or("?"), "table inet two") << "what was said before is gone";
}

TEST(Nftables, AreSetWithMoreThanAThousandDescriptorsOpen) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit all{before.rlim_max, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &all), 0);
    bool apart = false;
    std::thread([&] {
        apart = ::unshare(CLONE_NEWNET) == 0;
        if (apart) ask_with_many_open();
    }).join();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    if (!apart) GTEST_SKIP() << "no right to make a network";
}

}  // namespace
}  // namespace agentdb9::runtime::docker
