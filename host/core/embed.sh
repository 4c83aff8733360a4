#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes a C file that defines an array of struct zn_asset (asset.h) over files.
#   embed.sh <array> <etag, or "-" for one by content> <folder for the gzip files> <file>...
set -eu
array=$1 etag=$2 folder=$3
shift 3
mkdir -p "$folder"

type_of() {
    case $1 in
    *.js | *.mjs) echo 'application/javascript; charset=utf-8' ;;
    *.json | *.map) echo 'application/json; charset=utf-8' ;;
    *.html) echo 'text/html; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.png) echo 'image/png' ;;
    *.ico) echo 'image/x-icon' ;;
    *) echo 'application/octet-stream' ;;
    esac
}

# <symbol> <file>: the bytes of the file under a name that C can declare.
embed() {
    printf '__asm__(".pushsection .rodata\\n.balign 16\\n.hidden %s\\n.globl %s\\n%s:\\n"\n' \
        "$1" "$1" "$1"
    printf '        ".incbin \\"%s\\"\\n.popsection\\n");\n' "$2"
    printf 'extern const uint8_t %s[];\n\n' "$1"
}

echo '// Made by host/core/embed.sh.'
printf '#include "core/asset.h"\n\n'
n=0
for file; do
    gzip -9nc "$file" >"$folder/$n.gz"
    embed "${array}_data_$n" "$file"
    embed "${array}_gzip_$n" "$folder/$n.gz"
    n=$((n + 1))
done

echo "const struct zn_asset ${array}[] = {"
n=0
for file; do
    tag=$etag
    [ "$tag" != - ] || tag=$(cksum <"$file" | tr ' ' -)
    printf '    { "%s", "%s", "\\"%s\\"",\n      %s, %d, %s, %d },\n' \
        "${file##*/}" "$(type_of "$file")" "$tag" \
        "${array}_data_$n" "$(wc -c <"$file")" \
        "${array}_gzip_$n" "$(wc -c <"$folder/$n.gz")"
    n=$((n + 1))
done
echo '};'
echo "const size_t ${array}_len = $n;"
