#include <iostream>
#include <secondlook/secondlook.hpp>

int main() {
  std::cout << "secondlook " << secondlook::version() << ", " << secondlook::resolve_threads(1)
            << " thread\n";
  return secondlook::version().empty() ? 1 : 0;
}
