from stockbeat.cli import main

main()
