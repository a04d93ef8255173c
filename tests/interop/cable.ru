require "action_cable"
module ApplicationCable
  class Connection < ActionCable::Connection::Base; end
  class Channel < ActionCable::Channel::Base; end
end
class ChatChannel < ApplicationCable::Channel
  def subscribed = stream_from("room_#{params[:room]}")
  def speak(data) = ActionCable.server.broadcast("room_#{params[:room]}", { text: data["text"] })
end
config = ActionCable.server.config
config.cable = { "adapter" => "async" }
config.connection_class = -> { ApplicationCable::Connection }
config.disable_request_forgery_protection = true
config.logger = ActiveSupport::TaggedLogging.new(Logger.new(File::NULL))
run ActionCable.server
