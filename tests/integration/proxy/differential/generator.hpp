// What a client may send, made from a seed: requests that are valid, nearly valid and broken, several on one
// connection, cut into segments. Most streams have few oddities, so that what is odd gets far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/simulation/random.hpp"

namespace agentdb9::test {

// The application that the requests are for.
struct Place {
    std::string prefix;      // of its paths
    std::string credential;  // a field with CRLF
};

// Texts of the committed corpora.
struct Corpus {
    std::vector<std::string> requests;
    std::vector<std::string> chunked;
};

struct Stream {
    std::string bytes;
    std::vector<std::size_t> cuts;  // where a segment begins, ascending; without 0 and the end
    std::vector<std::string_view> segments() const;
};

class Generator {
  public:
    // Both outlive it.
    Generator(std::uint64_t seed, const Place& place, const Corpus& corpus);
    Stream make();

  private:
    using Choices = std::vector<std::string_view>;
    std::string_view any(const Choices& choices) { return random_.pick(choices); }
    // Whether to be odd here; `weight`: how much more often than elsewhere.
    bool odd(double weight = 1) { return random_.chance(oddness_ * weight); }
    // `usual`, or one of the odd ones.
    std::string_view usually(std::string_view usual, const Choices& others, double weight = 1) {
        return odd(weight) ? any(others) : usual;
    }

    std::string request();
    std::string request_line();
    std::string target();
    std::string line_end();
    std::string field(std::string_view name, std::string_view value, double weight = 1);
    std::string recased(std::string_view name);
    std::string other_fields();
    std::string other_field();
    std::string corpus_line();
    std::string corpus_request();
    std::string smuggled();
    std::string content();

    // How a body is said to end, and how it does.
    struct Body {
        std::string fields;
        std::string bytes;
    };
    Body body();
    Body with_length();
    Body chunked();
    Body classic();
    std::string chunks(const std::string& content);
    std::string chunk_size(std::size_t size);
    std::string trailers();
    std::string length_value(std::size_t size);
    std::string coding();
    void cut(Stream& stream);

    Random random_;
    std::uint64_t seed_;
    const Place& place_;
    const Corpus& corpus_;
    double oddness_ = 0;
    int next_id_ = 0;
    std::string id_;
};

}  // namespace agentdb9::test
