# Shared by the scripts: messages, a step runner that shows the time taken and, only on failure, the output,
# and fingerprints of inputs, by which finished work is recognized and not repeated.
if [ -t 2 ]; then bold=$'\e[1m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' red='' dim='' plain=''; fi

# No build node may outlive its build; dotnet's chatter and telemetry are not wanted.
export MSBUILDDISABLENODEREUSE=1 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export TERMINAL_LOGGER=off MSBUILDTERMINALLOGGER=off

note() { printf '%s\n' "$*" >&2; }
title() { printf '%s\n' "$bold$*$plain" >&2; }
die() { printf '%s\n' "${red}error:$plain $*" >&2; exit 1; }
now_ms() { local t=$EPOCHREALTIME; echo $(( ${t/[.,]/} / 1000 )); }
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# step NAME COMMAND...: one progress line with the time; the command's output when it fails.
step() {
  local name=$1 log start status=0; shift
  log=$(mktemp) start=$(now_ms)
  [ -t 2 ] && printf '%s … ' "$name" >&2
  "$@" >"$log" 2>&1 </dev/null 9>&- || status=$?
  local took; took=$(seconds $(( $(now_ms) - start )))
  [ -t 2 ] || printf '%s … ' "$name" >&2
  if [ $status = 0 ]; then printf '%s\n' "${dim}ok, $took$plain" >&2
  else printf '%s\n' "${red}failed after $took (exit code $status)$plain" >&2; tail -n 200 "$log" >&2; fi
  rm -f "$log"
  return $status
}

# project_closure FOLDER: the folder of a project and those of all that it refers to, relative to the root.
project_closure() {
  local queue=("$1") seen=' ' folder reference
  while [ ${#queue[@]} -gt 0 ]; do
    folder=${queue[0]}; queue=("${queue[@]:1}")
    [[ $seen == *" $folder "* ]] && continue
    seen+="$folder "; echo "$folder"
    while read -r reference; do queue+=("src/$reference"); done \
      < <(sed -n 's/.*<ProjectReference Include="[^"]*\/\(Candela[^"/]*\)\.csproj".*/\1/p' "$folder"/*.csproj)
  done
}

# fingerprint PATH...: hash of all files below the paths, of the build rules and of the tools.
fingerprint() {
  { dotnet --version; gcc -dumpfullversion 2>/dev/null || true
    find Directory.*.props global.json .editorconfig eng/build "$@" \
      \( -name bin -o -name obj \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
  } | sha256sum | cut -d' ' -f1
}
