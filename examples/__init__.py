"""Programs made of asgiwire: each can be read in one sitting, and the tests run them all."""
