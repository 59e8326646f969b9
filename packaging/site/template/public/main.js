// Output of the command and lines of a shell are no source text: the language of a block without one is not guessed.
export default {
  configureHljs: hljs => hljs.configure({ languages: [] }),
}
