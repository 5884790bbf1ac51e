// The reader of a directory's tree, also while somebody changes the tree in the worst way.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <thread>

#include "archive/tree.hpp"
#include "fixture.hpp"

namespace agentdb9::archive {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

class Tree : public ArchiveFixture {
  protected:
    Tree() { fs::create_directory(path("tree")); }
    std::string at(const std::string& name) const { return path("tree/" + name).string(); }
    void put(const std::string& name, const std::string& content) const {
        std::ofstream(at(name), std::ios::binary) << content;
    }
    static Task<std::string> all_of(TreeReader& reader) {
        std::string tar;
        std::vector<char> room(50'000);
        while (const auto got = co_await reader.read(room))
            tar.append(room.data(), got);
        co_return tar;
    }
    std::string tar() {
        TreeReader reader(executor(), open());
        return run(all_of(reader));
    }
    base::Descriptor open() const {
        return base::Descriptor(::open(path("tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    std::vector<std::string> names(const std::string& tar) {
        std::vector<std::string> found;
        for (const auto& entry : run(list(tar)).entries)
            found.push_back(std::string(to_text(entry.type)) + " " + entry.path);
        return found;
    }
};

TEST_F(Tree, HasEverythingThatATarArchiveCanHold) {
    fs::create_directories(at("src/deep"));
    put("src/main.c", "int main;");
    put("big", std::string(3'000'000, 'x'));
    put("empty", "");
    ::chmod(at("src/main.c").c_str(), 04751);
    fs::create_hard_link(at("big"), at("src/same"));
    fs::create_symlink("/etc/passwd", at("passwd"));
    fs::create_symlink("..", at("src/up"));
    ::mkfifo(at("pipe").c_str(), 0600);
    const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1'600'000'001, .tv_nsec = 5}};
    ::utimensat(AT_FDCWD, at("src/main.c").c_str(), times, 0);
    const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    at("socket").copy(address.sun_path, sizeof address.sun_path - 1);
    ::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(server);

    const auto stream = tar();
    EXPECT_TRUE(stream.starts_with("./"));
    EXPECT_THAT(stream, Not(HasSubstr("root:x:")));
    const auto listing = run(list(stream));
    EXPECT_EQ(listing.contents.bytes, 3'000'009U);
    EXPECT_EQ(listing.contents.files, 4U);
    std::map<std::string, Entry> found;
    for (const auto& entry : listing.entries)
        found[entry.path] = entry;
    EXPECT_EQ(found.size(), 10U) << "the socket is left out";
    EXPECT_EQ(found["src/main.c"].mode, 04751U);
    EXPECT_EQ(found["src/main.c"].uid, ::getuid());
    EXPECT_EQ(base::to_unix_seconds(found["src/main.c"].modified_at), 1'600'000'001);
    EXPECT_EQ(found["passwd"].link_target, "/etc/passwd");
    EXPECT_EQ(found["src/up"].type, EntryType::kSymbolicLink);
    EXPECT_EQ(found["pipe"].type, EntryType::kFifo);
    // Which of the two names comes first is the file system's choice.
    EXPECT_NE(found["big"].type == EntryType::kHardLink, found["src/same"].type == EntryType::kHardLink);
}

TEST_F(Tree, NamesOfAnyBytesAndAnyLengthAreKept) {
    put("zeile\nzwei", "1");
    put("\xff\xfe", "2");
    put("größe", "3");
    std::string deep;
    for (int i = 0; i < 40; ++i)
        deep += std::string(80, static_cast<char>('a' + i % 26)) + "/";
    fs::create_directories(at(deep));
    put(deep + "last", "4");
    EXPECT_THAT(names(tar()),
                testing::IsSupersetOf({std::string("file zeile\nzwei"), std::string("file \xff\xfe"),
                                       std::string("file größe"), "file " + deep + "last"}));
}

TEST_F(Tree, AReaderThatIsGivenUpEndsItsThread) {
    put("big", std::string(50'000'000, 'x'));
    TreeReader reader(executor(), open());
    std::vector<char> room(100);
    EXPECT_GT(run(reader.read(room)), 0U);
}

TEST_F(Tree, WhatCannotBeReadIsAnError) {
    TreeReader reader(executor(), base::Descriptor(::open(at("").c_str(), O_PATH)));
    fs::remove_all(path("tree"));
    std::vector<char> room(100);
    EXPECT_NO_THROW(run(reader.read(room))) << "one that is removed is empty";
    TreeReader nothing(executor(), base::Descriptor(::open("/dev/null", O_RDONLY)));
    EXPECT_EQ(word_of(nothing.read(room)), "volume_unreadable");
}

// A directory becomes a link that leads out, and a file a link to a secret or a FIFO, and back, all the time.
TEST_F(Tree, NothingFromOutsideGetsInWhileTheTreeChanges) {
    fs::create_directory(path("outside"));
    store("outside/secret", "TOP SECRET");
    std::atomic<bool> ended = false;
    std::jthread enemy([&] {
        for (std::size_t round = 0; !ended; ++round) {
            std::error_code ignored;
            fs::remove_all(at("a"), ignored);
            fs::remove(at("b"), ignored);
            if (round % 3 == 0) {
                fs::create_directory(at("a"), ignored);
                put("b", "mine");
                put("a/secret", "mine");
            } else if (round % 3 == 1) {
                fs::create_directory_symlink(path("outside"), at("a"), ignored);
                fs::create_symlink(path("outside/secret"), at("b"), ignored);
            } else {
                ::mkfifo(at("b").c_str(), 0600);
                ::mkfifo(at("a").c_str(), 0600);
            }
        }
    });
    for (int i = 0; i < 40; ++i)
        put("filler" + std::to_string(i), "x");
    for (int i = 0; i < 300; ++i)
        ASSERT_THAT(tar(), Not(HasSubstr("TOP SECRET")));
    ended = true;
}

TEST_F(Tree, AFileThatShrinksWhileItIsReadKeepsTheArchiveWhole) {
    put("file", std::string(20'000'000, 'x'));
    TreeReader reader(executor(), open());
    std::vector<char> room(1000);
    std::string all(room.data(), run(reader.read(room)));
    fs::resize_file(at("file"), 5'000'000);
    all += run(all_of(reader));
    EXPECT_EQ(run(list(all)).contents.bytes, 20'000'000U);
}

}  // namespace
}  // namespace agentdb9::archive
