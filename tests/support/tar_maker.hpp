// Tar archives by hand, so that a test can make those that no decent program would.
#pragma once

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace agentdb9::test {

class TarMaker {
  public:
    struct Fields {
        char type = '0';
        std::string link;
        unsigned mode = 0644;
        unsigned uid = 1000;
        unsigned gid = 1000;
        long modified = 1'700'000'000;
    };

    // ustar, so the name has at most 100 bytes.
    TarMaker& add(std::string_view name, std::string_view content, const Fields& fields) {
        std::string header(512, '\0');
        put(header, 0, name);
        number(header, 100, 8, fields.mode);
        number(header, 108, 8, fields.uid);
        number(header, 116, 8, fields.gid);
        number(header, 124, 12, static_cast<unsigned long>(content.size()));
        number(header, 136, 12, static_cast<unsigned long>(fields.modified));
        header[156] = fields.type;
        put(header, 157, fields.link);
        put(header, 257, std::string_view("ustar\00000", 8));
        put(header, 148, "        ");
        unsigned long sum = 0;
        for (const char c : header)
            sum += static_cast<unsigned char>(c);
        number(header, 148, 7, sum);
        bytes_ += header;
        bytes_ += content;
        bytes_.resize((bytes_.size() + 511) / 512 * 512, '\0');
        return *this;
    }
    TarMaker& file(std::string_view name, std::string_view content) { return add(name, content, {}); }
    TarMaker& directory(std::string_view name, unsigned mode = 0755) {
        return add(name, {}, {.type = '5', .link = {}, .mode = mode});
    }
    TarMaker& symbolic_link(std::string_view name, std::string_view target) {
        return add(name, {}, {.type = '2', .link = std::string(target), .mode = 0777});
    }
    TarMaker& hard_link(std::string_view name, std::string_view target) {
        return add(name, {}, {.type = '1', .link = std::string(target)});
    }

    // With the two empty blocks at its end.
    std::string whole() const { return bytes_ + std::string(1024, '\0'); }
    std::string cut() const { return bytes_; }

  private:
    static void put(std::string& header, std::size_t at, std::string_view text) {
        std::ranges::copy(text, header.begin() + static_cast<std::ptrdiff_t>(at));
    }
    static void number(std::string& header, std::size_t at, int width, unsigned long value) {
        char text[16];
        std::snprintf(text, sizeof text, "%0*lo", width - 1, value);
        put(header, at, text);
    }

    std::string bytes_;
};

}  // namespace agentdb9::test
