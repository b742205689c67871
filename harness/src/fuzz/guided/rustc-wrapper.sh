#!/bin/sh
# Run by cargo in the place of rustc for the packages of a workspace: instruments them, and links the runtime that lies
# beside this file. Dependencies are left as they are: their branches would drown those of the server.
# Build scripts and macros run in the build and not in the server.
rustc=$1
shift
case " $* " in
*" build_script_"* | *" --crate-type proc-macro "* | *" --print "* | *" -vV "* | *" --crate-name ___ "*) exec "$rustc" "$@" ;;
esac
exec "$rustc" "$@" \
    -C passes=sancov-module \
    -C llvm-args=-sanitizer-coverage-level=3 \
    -C llvm-args=-sanitizer-coverage-inline-8bit-counters \
    -C llvm-args=-sanitizer-coverage-pc-table \
    -C codegen-units=1 \
    -C link-arg="$(dirname "$0")/covrt.o"
