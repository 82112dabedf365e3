#pragma once

#include <stdexcept>
#include <string>

#include "secondlook/core/export.hpp"

namespace secondlook {

/// Base class of every exception that this library throws.
class SECONDLOOK_EXPORT Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

/// An argument or the user's data is not what the function expects. `ValueError` in Python.
class SECONDLOOK_EXPORT InvalidArgument : public Error {
 public:
  using Error::Error;
  ~InvalidArgument() override;
};

/// A model was used before it was fitted. `sklearn.exceptions.NotFittedError` in Python.
class SECONDLOOK_EXPORT NotFitted : public Error {
 public:
  using Error::Error;
  ~NotFitted() override;
};

/// A model file is truncated, damaged, malicious or of another kind. `secondlook.ModelFileError` in
/// Python.
class SECONDLOOK_EXPORT ModelFileError : public Error {
 public:
  using Error::Error;
  ~ModelFileError() override;
};

/// A file cannot be opened, read or written. `OSError` in Python.
class SECONDLOOK_EXPORT FileError : public Error {
 public:
  using Error::Error;
  ~FileError() override;
};

/// The progress callback asked to stop.
class SECONDLOOK_EXPORT Cancelled : public Error {
 public:
  using Error::Error;
  ~Cancelled() override;
};

}  // namespace secondlook
