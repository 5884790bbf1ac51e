// What the data plane takes a client's bytes for: the parsers of src/http, called as a session calls them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace agentdb9::test {

struct Believed {
    enum class End {
        kWhole,
        kCut,        // the bytes end within it
        kBadHead,    // refused before anything of it is passed on
        kMalformed,  // its body is; what came before that may have been passed on
    };
    End end = End::kCut;
    std::string method;  // these are empty for a head that is cut or refused
    std::string target;
    std::string id;
    std::string body;
};

// The requests on a connection up to the last that is looked at.
std::vector<Believed> believe(std::string_view bytes);

}  // namespace agentdb9::test
